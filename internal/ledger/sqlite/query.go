package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// Rows is the answer to a query. Values are nil, int64, float64, string or, for
// what is not text, []byte.
type Rows struct {
	Columns []string
	Values  [][]any
}

type queryLimits struct {
	rows  int
	time  time.Duration
	value int // bytes of one value, and of the query itself
	bytes int // of all values together
}

var defaultQueryLimits = queryLimits{rows: 100_000, time: 30 * time.Second, value: 16 << 20, bytes: 256 << 20}

// publicTables are those that people are meant to query.
var publicTables = []string{"org_packages", "package_versions", "decisions", "actions", "runs"}

// Query runs one SELECT (or WITH … SELECT) and returns all its rows, at most
// 100,000 with 256 MiB within 30 seconds. It can't write, attach another file, change a
// setting or load code: the statement is looked at, SQLite's authorizer lets
// reading pass and nothing else, and the connection is read-only.
func (db *DB) Query(ctx context.Context, query string) (Rows, error) {
	if err := single(query); err != nil {
		return Rows{}, fmt.Errorf("query: %w", err)
	}
	limited, cancel := context.WithTimeout(ctx, db.limits.time)
	defer cancel()
	out, err := db.query(limited, query)
	switch {
	case err == nil:
		return out, nil
	case errors.Is(err, errTooManyBytes):
		return Rows{}, fmt.Errorf("query: the answer is larger than %d MiB: choose fewer columns, or add a LIMIT", db.limits.bytes>>20)
	case errors.Is(err, errTooManyRows):
		return Rows{}, fmt.Errorf("query: more than %d rows: add a LIMIT or count them", db.limits.rows)
	case ctx.Err() != nil:
		return Rows{}, fmt.Errorf("query: %w", ctx.Err())
	case limited.Err() != nil:
		return Rows{}, fmt.Errorf("query: it took longer than %s: narrow it with WHERE", db.limits.time)
	}
	return Rows{}, fmt.Errorf("query: %w: %s", err, db.tables(ctx))
}

var (
	errTooManyRows  = errors.New("too many rows")
	errTooManyBytes = errors.New("too many bytes")
)

func (db *DB) query(ctx context.Context, query string) (out Rows, err error) {
	conn, err := db.queries.Conn(ctx)
	if err != nil {
		return Rows{}, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if err := conn.Raw(authorize); err != nil {
		return Rows{}, fmt.Errorf("make the connection read-only: %w", err)
	}
	// A function such as zeroblob or printf makes values out of nothing.
	if _, err := driver.Limit(conn, lib.SQLITE_LIMIT_LENGTH, db.limits.value); err != nil {
		return Rows{}, fmt.Errorf("bound the values: %w", err)
	}
	rows, err := conn.QueryContext(ctx, query)
	if err != nil {
		return Rows{}, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	if out.Columns, err = rows.Columns(); err != nil {
		return Rows{}, err
	}
	bytes := 0
	for rows.Next() {
		if len(out.Values) == db.limits.rows {
			return Rows{}, errTooManyRows
		}
		row, err := scanRow(rows, len(out.Columns))
		if err != nil {
			return Rows{}, err
		}
		if bytes += sizeOf(row); bytes > db.limits.bytes {
			return Rows{}, errTooManyBytes
		}
		out.Values = append(out.Values, row)
	}
	return out, rows.Err()
}

func scanRow(rows *sql.Rows, width int) ([]any, error) {
	row, into := make([]any, width), make([]any, width)
	for i := range row {
		into[i] = &row[i]
	}
	if err := rows.Scan(into...); err != nil {
		return nil, err
	}
	for i, v := range row {
		if b, ok := v.([]byte); ok && utf8.Valid(b) {
			row[i] = string(b)
		}
	}
	return row, nil
}

// sizeOf is about what a row holds in memory.
func sizeOf(row []any) int {
	n := 0
	for _, v := range row {
		n += 16
		switch v := v.(type) {
		case string:
			n += len(v)
		case []byte:
			n += len(v)
		}
	}
	return n
}

// authorize lets a connection read and compute, nothing else.
func authorize(conn any) error {
	r, ok := conn.(driver.AuthorizerRegisterer)
	if !ok {
		return errors.New("the driver has no authorizer")
	}
	return r.RegisterAuthorizer(func(action driver.AuthorizerActionCode, _, name, _, _ string) driver.AuthorizerReturnCode {
		switch action {
		case driver.AuthSelect, driver.AuthRead, driver.AuthRecursive:
			return driver.AuthorizerOK
		case driver.AuthFunction:
			if !strings.EqualFold(name, "load_extension") {
				return driver.AuthorizerOK
			}
		}
		return driver.AuthorizerDeny
	})
}

// tables says what there is to query.
func (db *DB) tables(ctx context.Context) string {
	var b strings.Builder
	b.WriteString("there are")
	for i, t := range publicTables {
		cols, err := collect(ctx, db.read, scanText, `SELECT name FROM pragma_table_xinfo(?)`, t)
		if err != nil {
			return "the tables are " + strings.Join(publicTables, ", ")
		}
		if i > 0 {
			b.WriteString(",")
		}
		fmt.Fprintf(&b, " %s (%s)", t, strings.Join(cols, ", "))
	}
	return b.String()
}
