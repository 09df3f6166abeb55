package dynamodb

import (
	"flag"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/shelflife-dev/shelflife/internal/awstest"
	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/ledger/ledgertest"
)

// places are the servers that stand for AWS. A place that is not installed skips.
var places = []struct {
	name  string
	start func(testing.TB) *awstest.Env
}{
	{"moto", awstest.Start},
	{"dynamodb local", awstest.DynamoDBLocal},
}

// eachPlace runs a test against every place.
func eachPlace(t *testing.T, test func(t *testing.T, env *awstest.Env)) {
	for _, p := range places {
		t.Run(p.name, func(t *testing.T) { test(t, p.start(t)) })
	}
}

// open returns a store on a new table, whose clock stands still.
func open(t *testing.T, env *awstest.Env, opts ...func(*ddb.Options)) *Table {
	t.Helper()
	return New(ddb.NewFromConfig(env.Config, opts...), env.Table(t, Definition("")), func() time.Time { return noon })
}

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func TestConforms(t *testing.T) {
	eachPlace(t, func(t *testing.T, env *awstest.Env) {
		// A case takes hundreds of calls; -rapid.checks asks for more of them.
		fewerChecks(t, map[string]string{"moto": "5", "dynamodb-local": "20"}[env.Name])
		ledgertest.Run(t, func(t *testing.T) ledgertest.Instance {
			table := open(t, env)
			return ledgertest.Instance{
				Store: table,
				Another: func(*testing.T) ledger.Store {
					return New(ddb.NewFromConfig(env.Config), table.name, table.now)
				},
				Tamper: func(t *testing.T, owner string, wound ledgertest.Wound, seq int64) {
					(&vandal{t, table, owner}).do(wound, seq)
				},
			}
		})
	})
}

// fewerChecks lowers the number of random cases unless a person asked for one.
func fewerChecks(t *testing.T, n string) {
	t.Helper()
	f := flag.Lookup("rapid.checks")
	old := f.Value.String()
	if old != f.DefValue {
		return
	}
	if err := f.Value.Set(n); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Value.Set(old); err != nil {
			t.Error(err)
		}
	})
}

// vandal does what somebody with write access to the table could do.
type vandal struct {
	t     *testing.T
	table *Table
	owner string
}

func (v *vandal) do(wound ledgertest.Wound, seq int64) {
	v.t.Helper()
	switch wound {
	case ledgertest.EditBody, ledgertest.RehashBody:
		v.page(seq, func(list []recordItem, at int) []recordItem {
			list[at].Body = string(ledgertest.Edited([]byte(list[at].Body)))
			if wound == ledgertest.RehashBody {
				r, err := list[at].record()
				if err != nil {
					v.t.Fatal(err)
				}
				list[at].Hash = r.Sum()
			}
			return list
		})
	case ledgertest.DropRecord, ledgertest.CutTail:
		v.page(seq, func(list []recordItem, at int) []recordItem { return append(list[:at:at], list[at+1:]...) })
		if wound == ledgertest.CutTail {
			last, err := v.table.Records(v.t.Context(), v.owner, seq-2, 1)
			if err != nil || len(last) != 1 {
				v.t.Fatal(last, err)
			}
			v.put(headItem{key: headKey(v.owner), Seq: last[0].Seq, Hash: last[0].Hash})
		}
	case ledgertest.LowerCount:
		for _, c := range decoded[counterItem](v, span{pk: chainPK(v.owner), prefix: counterPrefix}) {
			c.N--
			v.put(c)
		}
	case ledgertest.ExtraCount:
		v.put(counterItem{counterKey(v.owner, "run/made-up"), "run/made-up", 1})
	case ledgertest.ForgeRun:
		runs, err := v.table.Runs(v.t.Context(), v.owner, 0)
		if err != nil {
			v.t.Fatal(err)
		}
		for _, r := range runs {
			r.Planned++
			v.doc(runKey(v.owner, r.ID), r)
		}
	case ledgertest.ForgeAction, ledgertest.DropActions:
		v.actions(wound)
	default:
		v.t.Fatalf("wound %q is not known", wound)
	}
}

func (v *vandal) actions(wound ledgertest.Wound) {
	v.t.Helper()
	actions, err := v.table.Actions(v.t.Context(), v.owner, "plan-1")
	if err != nil || len(actions) == 0 {
		v.t.Fatal(actions, err)
	}
	for _, a := range actions {
		k := actionKey(v.owner, a.Run, a.ID)
		if wound == ledgertest.DropActions {
			v.drop(k)
			continue
		}
		a.Outcome = "done"
		v.doc(k, a)
	}
}

// page rewrites the page that holds a record.
func (v *vandal) page(seq int64, edit func(list []recordItem, at int) []recordItem) {
	v.t.Helper()
	for _, p := range decoded[pageItem](v, span{pk: recordsPK(v.owner)}) {
		for i, r := range p.Records {
			if r.Seq != seq {
				continue
			}
			if p.Records = edit(p.Records, i); len(p.Records) == 0 {
				v.drop(p.key)
			} else {
				v.put(p)
			}
			return
		}
	}
	v.t.Fatalf("%s has no record %d", v.owner, seq)
}

func decoded[T any](v *vandal, s span) []T {
	v.t.Helper()
	list, err := all(v.t.Context(), v.table, s, read[T])
	if err != nil {
		v.t.Fatal(err)
	}
	return list
}

func (v *vandal) doc(k key, doc any) {
	v.t.Helper()
	d, err := toDoc(k, doc)
	if err != nil {
		v.t.Fatal(err)
	}
	v.put(d)
}

func (v *vandal) put(i any) {
	v.t.Helper()
	m, err := attributevalue.MarshalMap(i)
	if err != nil {
		v.t.Fatal(err)
	}
	if _, err := v.table.client.PutItem(v.t.Context(), &ddb.PutItemInput{TableName: &v.table.name, Item: m}); err != nil {
		v.t.Fatal(err)
	}
}

func (v *vandal) drop(k key) {
	v.t.Helper()
	_, err := v.table.client.TransactWriteItems(v.t.Context(), &ddb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{Delete: &types.Delete{TableName: aws.String(v.table.name), Key: k.item()}},
	}})
	if err != nil {
		v.t.Fatal(err)
	}
}
