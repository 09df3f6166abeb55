package dynamodb

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// item is a DynamoDB item or key.
type item = map[string]types.AttributeValue

// key names one item. It is part of what is written as an item.
type key struct {
	PK string `dynamodbav:"pk"`
	SK string `dynamodbav:"sk"`
}

func (k key) item() item { return item{PartitionKey: str(k.PK), SortKey: str(k.SK)} }

func str(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

// longestPart keeps every key far below DynamoDB's 1,024 bytes for a sort key.
const longestPart = 200

// part makes a name fit to be a part of a key: it holds no #, is not empty
// unless the name is, and differs for different names.
func part(name string) string {
	p := strings.NewReplacer("%", "%25", "#", "%23").Replace(name)
	if len(p) <= longestPart {
		return p
	}
	sum := sha256.Sum256([]byte(name))
	// "%-" is nothing that the replacing above gives.
	return strings.ToValidUTF8(p[:longestPart-2*sha256.Size-2], "") + "%-" + hex.EncodeToString(sum[:])
}

// stamp has a fixed width, so that times sort as text.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000000Z") }

// padded has a fixed width, so that numbers sort as text.
func padded(seq int64) string { return fmt.Sprintf("%019d", seq) }

const (
	ownersPK      = "owners"
	headSK        = "head"
	counterPrefix = "counter#"
	runPrefix     = "id#"
	startPrefix   = "at#"
	only          = "-" // sort key where a partition holds one item
)

func ownerKey(owner string) key   { return key{ownersPK, part(owner)} }
func chainPK(owner string) string { return "chain#" + part(owner) }
func headKey(owner string) key    { return key{chainPK(owner), headSK} }
func counterKey(owner, name string) key {
	return key{chainPK(owner), counterPrefix + part(name)}
}
func recordsPK(owner string) string           { return "records#" + part(owner) }
func pageKey(owner string, lastSeq int64) key { return key{recordsPK(owner), padded(lastSeq)} }
func runsPK(owner string) string              { return "runs#" + part(owner) }
func runKey(owner, id string) key             { return key{runsPK(owner), runPrefix + part(id)} }
func activePK(owner string) string            { return "active#" + part(owner) }
func activeKey(owner, id string) key          { return key{activePK(owner), part(id)} }
func actionsPK(owner, run string) string      { return "actions#" + part(owner) + "#" + part(run) }
func actionKey(owner, run, id string) key     { return key{actionsPK(owner, run), part(id)} }
func packagePK(ref retention.PackageRef) string {
	return "package#" + part(ref.Owner) + "#" + part(string(ref.Type)) + "#" + part(ref.Name)
}
func startKey(owner string, run retention.Run) key {
	return key{runsPK(owner), startPrefix + stamp(run.StartedAt) + "#" + part(run.ID)}
}
func manifestKey(digest string) key { return key{"manifest#" + part(digest), only} }
func deliveryKey(id string) key     { return key{"delivery#" + part(id), only} }
func sweepKey(owner string) key     { return key{"sweep#" + part(owner), only} }
func switchKey() key                { return key{"switch", only} }
func knownPK(owner string) string   { return "known#" + part(owner) }
func knownKey(ref retention.PackageRef) key {
	return key{knownPK(ledger.OwnerKey(ref.Owner)), part(string(ref.Type)) + "#" + part(ref.Name)}
}

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}
