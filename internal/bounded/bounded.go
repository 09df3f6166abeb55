// Package bounded reads what comes from elsewhere up to a limit, and says so where
// there is more. It never cuts anything short in silence: half a listing or half a
// document would look whole.
package bounded

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// MaxSnapshot bounds one package's snapshot once it is unpacked. 100,000 versions
// with their graph, which is all that is read of a package, take less than half of it.
const MaxSnapshot = 512 << 20

// Reader fails where more than its limit would be read.
type Reader struct {
	from        io.Reader
	limit, left int64
}

// NewReader lets limit bytes of from be read.
func NewReader(from io.Reader, limit int64) *Reader {
	return &Reader{from: from, limit: limit, left: limit}
}

// Again lets as many bytes be read as at the beginning. It is called between the
// values of a stream, each of which is bounded then, but for what the decoder has
// read ahead.
func (r *Reader) Again() { r.left = r.limit }

// Read implements io.Reader.
func (r *Reader) Read(p []byte) (int, error) {
	if r.left <= 0 {
		var one [1]byte
		if n, err := r.from.Read(one[:]); n == 0 {
			return 0, err
		}
		return 0, fmt.Errorf("it is longer than %s", Size(r.limit))
	}
	if int64(len(p)) > r.left {
		p = p[:r.left]
	}
	n, err := r.from.Read(p)
	r.left -= int64(n)
	return n, err
}

// ReadFile reads a file that may have so many bytes.
func ReadFile(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return nil, err
	case int64(len(data)) > limit:
		return nil, fmt.Errorf("%s is larger than %s; is this the right file?", path, Size(limit))
	}
	return data, nil
}

// Size writes a limit for people.
func Size(n int64) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<10:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}

// DecodeGzip reads one JSON value of up to limit bytes out of a gzip stream, and
// the stream to its very end: that is where gzip keeps its checksum.
func DecodeGzip(from io.Reader, limit int64, v any) error {
	z, err := gzip.NewReader(from)
	if err != nil {
		return err
	}
	r := NewReader(z, limit)
	if err := json.NewDecoder(r).Decode(v); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		return err
	}
	return z.Close()
}
