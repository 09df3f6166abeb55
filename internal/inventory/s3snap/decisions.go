package s3snap

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"
)

// Log names one file of the decision log.
type Log struct {
	Owner string
	Run   string
	// Part tells the files of one run apart, "" when there is one: a sweep that
	// is worked in slices writes one for each, named for instance by its cursor.
	Part string
	At   time.Time // when the run began; its UTC day is the partition
}

// SaveDecisions writes rows as one object of newline-delimited JSON and returns
// how many there were. The same Log again replaces the object, so that a slice
// that is worked again is not there twice; without rows nothing is written. Rows
// are held compressed until the last is there. An error among them ends the
// writing and leaves nothing.
func SaveDecisions[Row any](ctx context.Context, s *Store, log Log, rows iter.Seq2[Row, error]) (int, error) {
	n, err := saveDecisions(ctx, s, log, rows)
	if err != nil {
		return 0, fmt.Errorf("save decisions of run %s of %s: %w", log.Run, log.Owner, err)
	}
	return n, nil
}

func saveDecisions[Row any](ctx context.Context, s *Store, log Log, rows iter.Seq2[Row, error]) (n int, err error) {
	if log.Owner == "" || log.Run == "" || log.At.IsZero() {
		return 0, errors.New("owner, run and day must be given")
	}
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	lines := json.NewEncoder(z)
	for row, err := range rows {
		if err != nil {
			return 0, err
		}
		if err := lines.Encode(row); err != nil {
			return 0, fmt.Errorf("row %d: %w", n+1, err)
		}
		n++
	}
	if err := z.Close(); err != nil {
		return 0, err
	}
	if n == 0 {
		return 0, nil
	}
	return n, s.put(ctx, decisionsKey(log), &buf)
}
