package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// stampLayout has a fixed width, so that times sort as text.
const stampLayout = "2006-01-02T15:04:05.000000000Z"

func stamp(t time.Time) string { return t.UTC().Format(stampLayout) }

// stampOrNull writes null for the zero time.
func stampOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return stamp(t)
}

// github writes a time as GitHub does, null for the zero time.
func github(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// textOrNull writes null for the empty string.
func textOrNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func readStamp(s string, into *time.Time) error {
	t, err := time.Parse(stampLayout, s)
	if err != nil {
		return fmt.Errorf("time %q: %w", s, err)
	}
	*into = t
	return nil
}

func readStampOrNull(s sql.NullString, into *time.Time) error {
	if !s.Valid {
		*into = time.Time{}
		return nil
	}
	return readStamp(s.String, into)
}

// asJSON writes a plain value as JSON text.
func asJSON(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

// maxParams is how many parameters one statement gets at most.
const maxParams = 2000

// insert runs head ("INSERT INTO t (a, b) VALUES ") for all rows, many at a time.
func insert(ctx context.Context, tx *sql.Tx, head string, rows [][]any) error {
	if len(rows) == 0 {
		return nil
	}
	width := len(rows[0])
	row := "(?" + strings.Repeat(",?", width-1) + ")"
	for len(rows) > 0 {
		n := min(len(rows), maxParams/width)
		args := make([]any, 0, n*width)
		for _, r := range rows[:n] {
			args = append(args, r...)
		}
		if _, err := tx.ExecContext(ctx, head+row+strings.Repeat(","+row, n-1), args...); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// collect runs a query and reads every row with scan.
func collect[T any](ctx context.Context, db *sql.DB, scan func(func(...any) error) (T, error), query string, args ...any) (out []T, err error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() {
		if cerr := rows.Close(); err == nil {
			err = cerr
		}
	}()
	for rows.Next() {
		v, err := scan(rows.Scan)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

func scanText(scan func(...any) error) (s string, err error) {
	err = scan(&s)
	return s, err
}
