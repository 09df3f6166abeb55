package policy

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
)

// The limits of a bundle's archive. They hold before anything in it is looked at,
// signature included, since whoever serves the archive chooses its bytes.
const (
	MaxBundleBytes    = 16 << 20 // of the archive as it is fetched
	maxBundleUnpacked = 64 << 20 // of all files together
	maxBundleFile     = 16 << 20 // of one file
	maxBundleFiles    = 2000
	maxBundleDepth    = 16  // folders
	maxBundleName     = 512 // bytes of a file's path
)

// ErrBundleArchive says that an archive is no bundle, or not one that is read.
var ErrBundleArchive = errors.New("the archive of the bundle is refused")

// bundleFile is one regular file of an archive.
type bundleFile struct {
	name string // slash-separated, below the bundle's root
	data []byte
}

// unpack reads an archive into memory; nothing is ever written to disk. Whatever
// a policy bundle has no need of (links, devices, two files of one name, paths
// that lead out of it) is refused rather than left out: the files that are
// verified and the files that are used have to be the same ones.
func unpack(archive []byte) ([]bundleFile, error) {
	if len(archive) > MaxBundleBytes {
		return nil, refused("it is larger than %d MiB", MaxBundleBytes>>20)
	}
	gz, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return nil, refused("it is no gzip file (%v)", err)
	}
	limited := &io.LimitedReader{R: gz, N: maxBundleUnpacked + 1}
	files, err := readTar(tar.NewReader(limited))
	if err == nil {
		// To its end: only there is gzip's checksum, and nothing may hide behind
		// the end of the tar.
		err = drained(limited)
	}
	if limited.N <= 0 {
		return nil, refused("it unpacks to more than %d MiB", maxBundleUnpacked>>20)
	}
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, refused("it is empty")
	}
	return files, nil
}

func readTar(r *tar.Reader) ([]bundleFile, error) {
	var out []bundleFile
	seen := map[string]bool{}
	for entries := 0; ; entries++ {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, refused("it is cut off or damaged (%v)", err)
		}
		if entries >= maxBundleFiles {
			return nil, refused("it holds more than %d files", maxBundleFiles)
		}
		name, err := bundleName(h.Name)
		if err != nil {
			return nil, err
		}
		switch {
		case h.Typeflag == tar.TypeDir:
			continue
		case h.Typeflag != tar.TypeReg:
			return nil, refused("%q is a link or a special file; a bundle holds plain files only", shortened(name))
		case seen[name]:
			return nil, refused("there are two files %q", shortened(name))
		case h.Size > maxBundleFile:
			return nil, refused("%q is larger than %d MiB", shortened(name), maxBundleFile>>20)
		}
		seen[name] = true
		data, err := io.ReadAll(io.LimitReader(r, maxBundleFile+1))
		switch {
		case err != nil:
			return nil, refused("it is cut off or damaged in %q (%v)", shortened(name), err)
		case len(data) > maxBundleFile:
			return nil, refused("%q is larger than %d MiB", shortened(name), maxBundleFile>>20)
		}
		out = append(out, bundleFile{name: name, data: data})
	}
}

// bundleName takes off the one slash that OPA puts before each name, or the "./"
// that tar does, and refuses whatever is not a plain path below the root then.
func bundleName(name string) (string, error) {
	plain := strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(name, "."), "/"), "/")
	if plain == "" && (name == "./" || name == "/" || name == ".") {
		return ".", nil // the root itself, as a folder
	}
	if strings.HasPrefix(name, ".") && !strings.HasPrefix(name, "./") {
		plain = strings.TrimSuffix(name, "/") // .manifest
	}
	switch {
	case len(name) > maxBundleName:
		return "", refused("a path in it is longer than %d bytes", maxBundleName)
	case !fs.ValidPath(plain) || strings.ContainsAny(plain, "\\:\x00"):
		return "", refused("the path %q leads out of it", shortened(name))
	case strings.Count(plain, "/") >= maxBundleDepth:
		return "", refused("%q lies deeper than %d folders", shortened(plain), maxBundleDepth)
	case strings.ContainsFunc(plain, func(r rune) bool { return r < ' ' || r == 0x7f || r == '�' }):
		return "", refused("the path %q holds control characters", shortened(plain))
	}
	return plain, nil
}

// drained reads what is left after the tar, which may only be its padding.
func drained(r io.Reader) error {
	buf := make([]byte, 32<<10)
	for {
		n, err := r.Read(buf)
		if slices.ContainsFunc(buf[:n], func(b byte) bool { return b != 0 }) {
			return refused("there is something behind its end")
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return refused("it is cut off or damaged (%v)", err)
		}
	}
}

func refused(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrBundleArchive, fmt.Sprintf(format, args...))
}
