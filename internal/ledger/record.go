package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Format is the version of the record format that this package writes.
const Format = 1

// genesis is the Prev of every chain's first record.
var genesis = strings.Repeat("0", 2*sha256.Size)

// Kind says what a record is about.
type Kind string

// The kinds of record.
const (
	KindRunStarted  Kind = "run_started"
	KindIntent      Kind = "intent"
	KindOutcome     Kind = "outcome"
	KindRunFinished Kind = "run_finished"
	KindNote        Kind = "note"
)

// Record is one link of an owner's chain.
type Record struct {
	V     int             `json:"v"`
	Owner string          `json:"owner"` // key of the chain
	Seq   int64           `json:"seq"`   // from 1, without gaps
	At    time.Time       `json:"at"`
	Kind  Kind            `json:"kind"`
	Run   string          `json:"run"`
	Body  json.RawMessage `json:"body"`
	Prev  string          `json:"prev"` // hash of the record before; zeros for the first
	Hash  string          `json:"hash"`
}

// Sum computes the hash that the record must bear: SHA-256, in hex, over the
// fields v, owner, seq, at (RFC 3339 with nanoseconds, UTC), kind, run, body
// (the exact bytes) and prev, each written as its length in bytes, a colon and
// its bytes, so that no two records have the same encoding.
func (r Record) Sum() string {
	return sum(strconv.Itoa(r.V), r.Owner, strconv.FormatInt(r.Seq, 10),
		r.At.UTC().Format(time.RFC3339Nano), string(r.Kind), r.Run, string(r.Body), r.Prev)
}

func sum(fields ...string) string {
	h := sha256.New()
	for _, f := range fields {
		// A hash never returns an error (hash.Hash).
		_, _ = io.WriteString(h, strconv.Itoa(len(f))+":")
		_, _ = io.WriteString(h, f)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// The bodies of the records; run_started holds a retention.Run, intent an Intent.
type (
	outcomeBody struct {
		Intent    string              `json:"intent"`
		Outcome   retention.Outcome   `json:"outcome"`
		RequestID string              `json:"request_id,omitempty"`
		Detail    string              `json:"detail,omitempty"`
		Guard     retention.GuardCode `json:"guard,omitempty"`
	}
	finishedBody struct {
		Outcomes map[retention.Outcome]int `json:"outcomes"`
	}
	noteBody struct {
		Text string `json:"text"`
	}
)

// chain builds records one after the other.
type chain struct {
	owner   string
	head    Head
	at      time.Time
	records []Record
}

// add appends a record and reads its body back into stored, so that what is
// kept beside the chain is exactly what the chain says. Text that is not UTF-8
// changes on the way through JSON; the record holds what came out of it.
func (c *chain) add(kind Kind, run string, body, stored any) (int64, error) {
	b, err := json.Marshal(body)
	if err != nil {
		return 0, fmt.Errorf("encode %s: %w", kind, err)
	}
	if err := json.Unmarshal(b, stored); err != nil {
		return 0, fmt.Errorf("read back %s: %w", kind, err)
	}
	if b, err = json.Marshal(stored); err != nil {
		return 0, fmt.Errorf("encode %s: %w", kind, err)
	}
	r := Record{V: Format, Owner: c.owner, Seq: c.head.Seq + 1, At: c.at, Kind: kind, Run: run, Body: b, Prev: c.head.Hash}
	if r.Seq == 1 {
		r.Prev = genesis
	}
	r.Hash = r.Sum()
	c.head = Head{Seq: r.Seq, Hash: r.Hash}
	c.records = append(c.records, r)
	return r.Seq, nil
}
