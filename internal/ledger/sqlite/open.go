package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

const (
	// busyTimeout is how long a connection waits for another process's writing.
	busyTimeout = 10 * time.Second
	openTimeout = 30 * time.Second
	readers     = 4
)

// DB is an open store. It is safe for concurrent use.
type DB struct {
	path    string
	durable *sql.DB // one connection; each commit is flushed
	cache   *sql.DB // one connection; commits are flushed with the next durable one
	read    *sql.DB
	queries *sql.DB // read-only at the file level, for Query
	writing chan struct{}
	limits  queryLimits

	squeezers sync.Pool // of *gzip.Writer

	history      time.Duration
	historyBytes int64
	archived     int // readings put into the history; only the writer's turn touches it
}

// Options say what is kept beside the last reading of each package.
type Options struct {
	History      time.Duration // how long earlier readings are kept; less than 0 keeps none, 0 means DefaultHistory
	HistoryBytes int64         // how much of them, compressed; 0 means DefaultHistoryBytes
}

// Open opens the store at path and creates it, with its folder, when it is not
// there: readable by its owner only. A file of an older version is brought up to
// date; one of a newer version is refused.
func Open(path string) (*DB, error) { return OpenWith(path, Options{}) }

// OpenWith is Open with options.
func OpenWith(path string, o Options) (*DB, error) {
	db, err := open(path, o)
	if err != nil {
		return nil, fmt.Errorf("open the state file %s: %w: set SHELFLIFE_STATE to a file that can be written", path, err)
	}
	return db, nil
}

func open(path string, o Options) (*DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	// SQLite gives the files beside it the permissions of this one.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	db := &DB{path: path, writing: make(chan struct{}, 1), limits: defaultQueryLimits, history: o.History, historyBytes: o.HistoryBytes}
	if db.history == 0 {
		db.history = DefaultHistory
	}
	if db.historyBytes == 0 {
		db.historyBytes = DefaultHistoryBytes
	}
	pools := []struct {
		pool  **sql.DB
		conns int
		query string
	}{
		{&db.durable, 1, "_txlock=immediate&_foreign_keys=1&_journal_mode=WAL&_synchronous=FULL"},
		{&db.cache, 1, "_txlock=immediate&_foreign_keys=1&_journal_mode=WAL&_synchronous=NORMAL"},
		{&db.read, readers, "_query_only=1"},
		{&db.queries, 1, "mode=ro&_query_only=1&_defensive=1&_dqs=0"},
	}
	for _, p := range pools {
		*p.pool, err = sql.Open("sqlite", dsn(path, p.query))
		if err != nil {
			return nil, errors.Join(err, db.Close())
		}
		(*p.pool).SetMaxOpenConns(p.conns)
		(*p.pool).SetMaxIdleConns(p.conns)
	}
	ctx, cancel := context.WithTimeout(context.Background(), openTimeout)
	defer cancel()
	if err := db.prepare(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// dsn is the address of a file, whatever characters its path holds.
func dsn(path, query string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	u := url.URL{Scheme: "file", Path: path, RawQuery: fmt.Sprintf("_busy_timeout=%d&_error_rc=1&%s", busyTimeout.Milliseconds(), query)}
	return u.String()
}

// Path returns the absolute path of the file.
func (db *DB) Path() string { return db.path }

// Close closes the file. Nothing that was committed is lost without it.
func (db *DB) Close() error {
	var errs []error
	for _, p := range []*sql.DB{db.queries, db.read, db.cache, db.durable} {
		if p != nil {
			errs = append(errs, p.Close())
		}
	}
	return errors.Join(errs...)
}

// update runs f in one transaction on pool, alone among all writers: those of
// this process wait for their turn here, other processes' at the file's lock.
func (db *DB) update(ctx context.Context, pool *sql.DB, f func(tx *sql.Tx) error) error {
	select {
	case db.writing <- struct{}{}:
		defer func() { <-db.writing }()
	case <-ctx.Done():
		return ctx.Err()
	}
	tx, err := pool.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := f(tx); err != nil {
		return errors.Join(err, ignoreDone(tx.Rollback()))
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// ignoreDone drops the error of rolling back what a cancelled context has
// rolled back already.
func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

// hasCode reports whether err is SQLite's primary error code.
func hasCode(err error, primary int) bool {
	var e *driver.Error
	return errors.As(err, &e) && e.Code()&0xff == primary
}

func isBusy(err error) bool { return hasCode(err, lib.SQLITE_BUSY) }
