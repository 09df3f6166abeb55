package report

import "fmt"

// Verification is what checking one owner's ledger found.
type Verification struct {
	Owner   string `json:"owner"`
	Records int    `json:"records"`
	Runs    int    `json:"runs"`
	Actions int    `json:"actions"`
	Open    int    `json:"open"` // actions without an outcome
	Head    string `json:"head"` // hash of the last record
	Broken  string `json:"broken,omitempty"`
}

// Verifications show whether ledgers are whole. Broken says what is wrong with one.
type Verifications []Verification

func (vs Verifications) value() any {
	return struct {
		Schema  string         `json:"schema"`
		Ledgers []Verification `json:"ledgers"`
	}{"shelflife.ledger/v1", list([]Verification(vs))}
}

func (vs Verifications) document() document {
	t := table{columns: []column{
		{name: "OWNER", code: true, least: 8}, {name: "RECORDS", right: true}, {name: "RUNS", right: true}, {name: "ACTIONS", right: true},
		{name: "OPEN", right: true}, {name: "HEAD", code: true, least: 12}, {name: "CHAIN"},
	}}
	broken := 0
	for _, v := range vs {
		chain := cell{text: "whole", tone: good}
		if v.Broken != "" {
			broken++
			chain = cell{text: "BROKEN", tone: bad}
			t.notes = append(t.notes, v.Owner+": "+v.Broken)
		}
		t.rows = append(t.rows, []cell{text(v.Owner), text(fmt.Sprint(v.Records)), text(fmt.Sprint(v.Runs)), text(fmt.Sprint(v.Actions)),
			text(fmt.Sprint(v.Open)), text(shortDigest(v.Head)), chain})
	}
	return listing(t, "The ledger is empty: nothing has been done yet.", fmt.Sprintf("%s checked, %d broken", count(len(vs), "ledger"), broken))
}
