// Lists the tars whose names are its arguments, each as one line of JSON: {"entries": [[name, type, size, link, sha256]...], "error"}.
package main

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
)

type listing struct {
	Entries [][]any `json:"entries"`
	Error   string  `json:"error"`
}

var types = map[byte]string{
	tar.TypeReg: "file", tar.TypeLink: "link", tar.TypeSymlink: "symlink", tar.TypeChar: "character-device",
	tar.TypeBlock: "block-device", tar.TypeDir: "directory", tar.TypeFifo: "fifo",
}

func list(path string) (found listing) {
	file, err := os.Open(path)
	if err != nil {
		return listing{Error: err.Error()}
	}
	defer file.Close()
	found.Entries = [][]any{}
	reader := tar.NewReader(file)
	for {
		header, err := reader.Next()
		if err == io.EOF {
			return found
		}
		if err != nil {
			found.Error = err.Error()
			return found
		}
		if header.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		hash := sha256.New()
		if _, err := io.Copy(hash, reader); err != nil {
			found.Error = err.Error()
			return found
		}
		found.Entries = append(found.Entries, []any{
			header.Name, types[header.Typeflag], header.Size, header.Linkname, hex.EncodeToString(hash.Sum(nil)),
		})
	}
}

func main() {
	out := json.NewEncoder(os.Stdout)
	for _, path := range os.Args[1:] {
		if err := out.Encode(list(path)); err != nil {
			panic(err)
		}
	}
}
