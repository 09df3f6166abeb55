package dynamodb

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/shelflife-dev/shelflife/internal/ledger"
)

// The attributes of every item that DynamoDB itself knows of.
const (
	PartitionKey = "pk"
	SortKey      = "sk"
	TTLAttribute = "ttl" // seconds since 1970; on deliveries only
)

// API is what of DynamoDB is used. *dynamodb.Client of the SDK is one.
type API interface {
	GetItem(context.Context, *ddb.GetItemInput, ...func(*ddb.Options)) (*ddb.GetItemOutput, error)
	PutItem(context.Context, *ddb.PutItemInput, ...func(*ddb.Options)) (*ddb.PutItemOutput, error)
	Query(context.Context, *ddb.QueryInput, ...func(*ddb.Options)) (*ddb.QueryOutput, error)
	BatchGetItem(context.Context, *ddb.BatchGetItemInput, ...func(*ddb.Options)) (*ddb.BatchGetItemOutput, error)
	BatchWriteItem(context.Context, *ddb.BatchWriteItemInput, ...func(*ddb.Options)) (*ddb.BatchWriteItemOutput, error)
	TransactWriteItems(context.Context, *ddb.TransactWriteItemsInput, ...func(*ddb.Options)) (*ddb.TransactWriteItemsOutput, error)
}

// Table is the store. It is safe for concurrent use, also by several processes
// on one table.
type Table struct {
	client API
	name   string
	now    func() time.Time
	wait   backoff
}

var _ ledger.Store = (*Table)(nil)

// New returns the store in the table of that name, which must be there (see
// Definition). It makes no call. now tells which holds on owners are over.
//
// The client decides how long a call may take and how often it is tried again
// after an error; the store itself tries again what DynamoDB left undone in an
// answer (unprocessed keys, cancelled transactions).
func New(client API, name string, now func() time.Time) *Table {
	return &Table{client: client, name: name, now: now, wait: defaultBackoff}
}

// Definition is the table as it must be: the template of the deployment defines
// the same and adds point-in-time recovery, deletion protection and the time to
// live on TTLAttribute.
func Definition(name string) *ddb.CreateTableInput {
	return &ddb.CreateTableInput{
		TableName:   aws.String(name),
		BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String(PartitionKey), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String(SortKey), AttributeType: types.ScalarAttributeTypeS},
		},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String(PartitionKey), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String(SortKey), KeyType: types.KeyTypeRange},
		},
	}
}
