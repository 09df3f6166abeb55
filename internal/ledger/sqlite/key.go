package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// keyName is the file beside the database that holds the key of saved plans.
const keyName = "plan.key"

// keySize is the length of the key in bytes: that of HMAC-SHA-256's output.
const keySize = 32

// Key returns the key that saved plans are signed with. It is made at random the
// first time and kept in plan.key beside the database, for its owner's eyes only.
// Processes that ask at the same time get the same one.
func (db *DB) Key(ctx context.Context) ([]byte, error) {
	path := filepath.Join(filepath.Dir(db.path), keyName)
	key, err := readKey(path)
	if errors.Is(err, fs.ErrNotExist) {
		// The database's write lock keeps other processes from making one too.
		err = db.update(ctx, db.cache, func(*sql.Tx) error {
			if key, err = readKey(path); !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			key, err = makeKey(path)
			return err
		})
	}
	if err != nil {
		return nil, fmt.Errorf("the key of saved plans: %w", err)
	}
	return key, nil
}

func readKey(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s can be read by others (mode %04o): remove it, and plan again; saved plans are then refused", path, info.Mode().Perm())
	}
	key, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if len(key) != keySize {
		return nil, fmt.Errorf("%s holds %d bytes, not %d: remove it, and plan again; saved plans are then refused", path, len(key), keySize)
	}
	return key, nil
}

// makeKey writes the file whole or not at all, and never over another one.
func makeKey(path string) (key []byte, err error) {
	key = make([]byte, keySize)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(filepath.Dir(path), keyName+".*") // made with mode 0600
	if err != nil {
		return nil, err
	}
	defer func() {
		if rerr := os.Remove(f.Name()); !errors.Is(rerr, fs.ErrNotExist) {
			err = errors.Join(err, rerr)
		}
	}()
	_, err = f.Write(key)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, err
	}
	// Unlike a rename, a link fails when the file is there.
	if err := os.Link(f.Name(), path); errors.Is(err, fs.ErrExist) {
		return readKey(path)
	} else if err == nil {
		return key, nil
	}
	// Not every file system has links; the lock is held.
	if err := os.Rename(f.Name(), path); err != nil {
		return nil, err
	}
	return key, nil
}
