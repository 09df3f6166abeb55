package preview

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// MaxLine bounds one line of an inventory file: one package.
const MaxLine = 64 << 20

// File is an inventory in a file, as inventory export writes it: one package a
// line. Only the lines' places are in memory. It stands in for a store.
type File struct {
	f      *os.File
	owners []retention.Owner // in the file's order
	heads  []retention.KnownPackage
	places map[retention.PackageRef]extent // owners in lower case
}

type extent struct {
	at   int64
	size int
	line int
}

// OpenFile reads the file once and notes where each package is.
func OpenFile(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	out := &File{f: f, places: map[retention.PackageRef]extent{}}
	if err := out.index(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return out, nil
}

// Close closes the file.
func (f *File) Close() error { return f.f.Close() }

// Owners lists the owners whose packages are in the file.
func (f *File) Owners() []retention.Owner { return slices.Clone(f.owners) }

func (f *File) index() error {
	r := bufio.NewReaderSize(f.f, 1<<20)
	at := int64(0)
	for line := 1; ; line++ {
		text, err := readLine(r)
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("line %d: %w", line, err)
		}
		if len(bytes.TrimSpace(text)) > 0 {
			if err := f.note(text, extent{at, len(text), line}); err != nil {
				return fmt.Errorf("line %d: %w", line, err)
			}
		}
		if err != nil {
			break
		}
		at += int64(len(text))
	}
	if len(f.heads) == 0 {
		return errors.New("it holds no package; write it with: shelflife inventory export OWNER")
	}
	slices.SortFunc(f.heads, func(a, b retention.KnownPackage) int {
		return slices.Compare([]string{string(a.Ref.Type), a.Ref.Name}, []string{string(b.Ref.Type), b.Ref.Name})
	})
	return nil
}

// readLine reads a line with its end, within MaxLine.
func readLine(r *bufio.Reader) ([]byte, error) {
	var out []byte
	for {
		part, err := r.ReadSlice('\n')
		out = append(out, part...)
		if len(out) > MaxLine {
			return nil, fmt.Errorf("it is longer than %d MB", MaxLine>>20)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return out, err
		}
	}
}

func (f *File) note(text []byte, at extent) error {
	var head struct {
		Owner   retention.Owner   `json:"owner"`
		Package retention.Package `json:"package"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return fmt.Errorf("it is no package as inventory export writes it: %w", err)
	}
	ref := head.Package.Ref(head.Owner.Login)
	if ref.Owner == "" || ref.Name == "" || !ref.Type.Valid() {
		return errors.New("it names no owner, package or package type; write it with: shelflife inventory export OWNER")
	}
	if first, twice := f.places[key(ref)]; twice {
		return fmt.Errorf("%s is there twice, first on line %d", ref, first.line)
	}
	f.places[key(ref)] = at
	f.heads = append(f.heads, retention.KnownPackage{Ref: ref, State: head.Package.State})
	if !slices.ContainsFunc(f.owners, func(o retention.Owner) bool { return retention.SameLogin(o.Login, head.Owner.Login) }) {
		f.owners = append(f.owners, head.Owner)
	}
	return nil
}

func key(ref retention.PackageRef) retention.PackageRef {
	ref.Owner = strings.ToLower(ref.Owner)
	return ref
}

// Known goes over the heads of an owner's packages by type and name.
func (f *File) Known(_ context.Context, owner string) iter.Seq2[retention.KnownPackage, error] {
	return func(yield func(retention.KnownPackage, error) bool) {
		for _, h := range f.heads {
			if retention.SameLogin(h.Ref.Owner, owner) && !yield(h, nil) {
				return
			}
		}
	}
}

// Snapshot reads one package.
func (f *File) Snapshot(_ context.Context, ref retention.PackageRef) (inv retention.Inventory, ok bool, err error) {
	at, ok := f.places[key(ref)]
	if !ok {
		return inv, false, nil
	}
	text := make([]byte, at.size)
	if _, err := f.f.ReadAt(text, at.at); err != nil {
		return inv, false, fmt.Errorf("read %s: %w", ref, err)
	}
	if err := json.Unmarshal(text, &inv); err != nil {
		return retention.Inventory{}, false, fmt.Errorf("line %d of %s: %s: %w", at.line, filepath.Base(f.f.Name()), ref, err)
	}
	retention.SortVersions(inv.Versions)
	return inv, true, nil
}
