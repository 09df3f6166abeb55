package dynamodb

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// role says what it means when an item of a transaction is refused. The order
// is the order in which refusals count.
type role int

const (
	moveHead    role = iota // the head has moved
	create                  // a run or an action is there already
	reserve                 // a counter would go beyond its limit
	replace                 // what is to be finished is not there
	appendPage              // a record is where the chain says there is none
	unqualified             // written without a condition
)

// step is one item of a transaction.
type step struct {
	role  role
	what  string     // for an error
	add   ledger.Add // of a reservation
	write types.TransactWriteItem
}

// builder collects the steps of a batch.
type builder struct {
	table string
	steps []step
	err   error
}

// transaction lists everything a batch writes; the head comes first.
func transaction(table string, b ledger.Batch, token string) ([]step, error) {
	t := &builder{table: table}
	t.head(b, token)
	for _, a := range b.Counters {
		t.counter(b.Owner, a)
	}
	t.runs(b)
	for _, a := range b.BeginActions {
		t.doc(create, "action "+a.ID, actionKey(b.Owner, a.Run, a.ID), a)
	}
	if a := b.FinishAction; a != nil {
		t.doc(replace, "action "+a.ID, actionKey(b.Owner, a.Run, a.ID), a)
	}
	t.packages(b)
	for _, p := range pages(b, token) {
		t.put(appendPage, "records up to "+p.SK, p)
	}
	return t.steps, t.err
}

func (t *builder) head(b ledger.Batch, token string) {
	h := b.Head()
	put := t.marshal(headItem{key: headKey(b.Owner), Seq: h.Seq, Hash: h.Hash, Writer: token})
	if b.Expect == (ledger.Head{}) {
		put.ConditionExpression = aws.String("attribute_not_exists(pk)")
	} else {
		put.ConditionExpression = aws.String("#seq = :seq AND #hash = :hash")
		put.ExpressionAttributeNames = map[string]string{"#seq": "seq", "#hash": "hash"}
		put.ExpressionAttributeValues = item{":seq": number(b.Expect.Seq), ":hash": str(b.Expect.Hash)}
	}
	// The head that is there instead tells whose it is.
	put.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	t.add(step{role: moveHead, what: "head", write: types.TransactWriteItem{Put: put}})
	if b.Expect == (ledger.Head{}) {
		t.put(unqualified, "owner", ownerItem{key: ownerKey(b.Owner), Owner: b.Owner})
	}
}

// counter raises a counter if it then is within its limit. DynamoDB can't add in
// a condition, so that the limit is written as the room that must be left.
func (t *builder) counter(owner string, a ledger.Add) {
	room := a.Limit - a.N
	condition := "#n <= :room"
	if room >= 0 { // a counter that is not there yet is 0
		condition = "attribute_not_exists(#n) OR #n <= :room"
	}
	t.add(step{role: reserve, what: "counter " + a.Name, add: a, write: types.TransactWriteItem{Update: &types.Update{
		TableName:                aws.String(t.table),
		Key:                      counterKey(owner, a.Name).item(),
		UpdateExpression:         aws.String("SET #name = :name ADD #n :add"),
		ConditionExpression:      aws.String(condition),
		ExpressionAttributeNames: map[string]string{"#n": "n", "#name": "name"},
		ExpressionAttributeValues: item{
			":add": number(int64(a.N)), ":room": number(int64(room)), ":name": str(a.Name),
		},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}}})
}

func (t *builder) runs(b ledger.Batch) {
	if r := b.StartRun; r != nil {
		t.doc(create, "run "+r.ID, runKey(b.Owner, r.ID), r)
		t.put(unqualified, "run "+r.ID, runRef{key: startKey(b.Owner, *r), Run: r.ID})
		t.put(unqualified, "run "+r.ID, runRef{key: activeKey(b.Owner, r.ID), Run: r.ID})
	}
	if r := b.FinishRun; r != nil {
		t.doc(replace, "run "+r.ID, runKey(b.Owner, r.ID), r)
		t.add(step{role: unqualified, what: "run " + r.ID, write: types.TransactWriteItem{Delete: &types.Delete{
			TableName: aws.String(t.table), Key: activeKey(b.Owner, r.ID).item(),
		}}})
	}
}

// packages notes under each package which actions were begun on it: one item
// for those of one run and one instant.
func (t *builder) packages(b ledger.Batch) {
	type group struct{ pk, begun, run string }
	items := map[group]*packageItem{}
	for _, a := range b.BeginActions {
		ref := retention.PackageRef{Owner: b.Owner, Type: a.PackageType, Name: a.Package}
		g := group{packagePK(ref), stamp(a.At), a.Run}
		if items[g] == nil {
			items[g] = &packageItem{key: key{g.pk, g.begun + "#" + padded(a.Seq)}, Run: a.Run}
		}
		items[g].IDs = append(items[g].IDs, a.ID)
	}
	for _, p := range slices.SortedFunc(maps.Values(items), func(x, y *packageItem) int {
		return cmp.Or(cmp.Compare(x.PK, y.PK), cmp.Compare(x.SK, y.SK))
	}) {
		t.put(unqualified, "package", p)
	}
}

func (t *builder) doc(r role, what string, k key, v any) {
	d, err := toDoc(k, v)
	t.fail(what, err)
	t.put(r, what, d)
}

// put adds an item, on the condition that goes with its role.
func (t *builder) put(r role, what string, v any) {
	p := t.marshal(v)
	switch r {
	case create, appendPage:
		p.ConditionExpression = aws.String("attribute_not_exists(pk)")
	case replace:
		p.ConditionExpression = aws.String("attribute_exists(pk)")
	}
	t.add(step{role: r, what: what, write: types.TransactWriteItem{Put: p}})
}

func (t *builder) marshal(v any) *types.Put {
	m, err := attributevalue.MarshalMap(v)
	t.fail("item", err)
	return &types.Put{TableName: aws.String(t.table), Item: m}
}

func (t *builder) add(s step) { t.steps = append(t.steps, s) }

// fail keeps the first error.
func (t *builder) fail(what string, err error) {
	if err != nil && t.err == nil {
		t.err = fmt.Errorf("encode %s: %w", what, err)
	}
}

// pageBytes keeps a page of records well below the 400 KB of an item.
const pageBytes = 300 << 10

// pages packs the records of a batch. A page bears the number of its last
// record; the last page bears the token, where landed looks for it.
func pages(b ledger.Batch, token string) []pageItem {
	var out []pageItem
	size := 0
	for _, r := range b.Records {
		n := len(r.Body) + len(r.Owner) + len(r.Run) + len(r.Hash) + len(r.Prev) + 200
		if len(out) == 0 || size+n > pageBytes {
			out, size = append(out, pageItem{}), 0
		}
		p := &out[len(out)-1]
		p.key = pageKey(b.Owner, r.Seq)
		p.Records = append(p.Records, toRecordItem(r))
		size += n
	}
	out[len(out)-1].Writer = token
	return out
}
