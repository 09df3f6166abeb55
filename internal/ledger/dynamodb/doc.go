// Package dynamodb is the store on AWS: one DynamoDB table that holds the
// ledger, the cache of manifests, the webhook deliveries that were seen, the state
// of sweeps, the heads of snapshots and the kill switch. It implements ledger.Store and oci.Cache.
//
// The package never scans, needs no secondary index, and never changes or
// removes a ledger record: each page of records is put on the condition that
// nothing is there. The only items it deletes are those under active#. It
// creates no table either (Definition says what template.yaml must).
//
// # Items
//
// Both keys are strings. Within a key, # and % in a name are percent-encoded
// and a name of more than 200 bytes ends in its SHA-256; an item holds every
// name in full too.
//
//	pk                            sk                  what
//	owners                        <owner>             that the owner has a chain
//	chain#<owner>                 head                end of the chain: seq, hash, writer
//	chain#<owner>                 counter#<name>      n, what is reserved
//	records#<owner>               <last seq, padded>  a page of consecutive records, up to 300 KB
//	runs#<owner>                  id#<run>            the run, as JSON
//	runs#<owner>                  at#<started>#<run>  its id, so that runs are had by time
//	active#<owner>                <run>               that the run is not finished
//	actions#<owner>#<run>         <action>            the action, as JSON
//	package#<owner>#<type>#<name> <begun>#<seq>       run and ids of the package's actions of one batch
//	manifest#<digest>             -                   body, what the manifest says; never expires
//	delivery#<key>                -                   until; the attribute ttl removes it
//	sweep#<owner>                 -                   how far the owner's sweep has come (gzip), rev
//	known#<owner>                 <type>#<name>       head of a package's snapshot, its active versions
//	lock#<owner>                  -                   who works on the owner, until
//	switch                        -                   the kill switch
//	hook#<app>                    -                   how far failed deliveries have been gone through
//
// # Access patterns
//
// All reads but those of manifests are strongly consistent.
//
//	what            calls                                            actions on the table (dynamodb:…)
//	Owners          Query owners                                     Query
//	Head, Counter   GetItem chain#                                   GetItem
//	Counters        Query chain#, counter#…                          Query
//	Records         Query records#, sk > after                       Query
//	Run             GetItem runs#                                    GetItem
//	Runs            Query runs#, at#… backwards; BatchGetItem        Query, BatchGetItem
//	Lookup          BatchGetItem actions#                            BatchGetItem
//	Actions         Query actions#                                   Query
//	OpenActions     Query active#, Query actions# of each            Query
//	PackageActions  Query package#, sk >= since; BatchGetItem        Query, BatchGetItem
//	Commit          TransactWriteItems of up to 100 items;           PutItem, UpdateItem, DeleteItem (active# only),
//	                GetItem when it is refused or goes unanswered    ConditionCheckItem is not needed, GetItem
//	Manifests       BatchGetItem                                     BatchGetItem
//	PutManifests    BatchWriteItem                                   BatchWriteItem
//	Seen, Mark      GetItem, PutItem delivery#                       GetItem, PutItem
//	Load-, SaveSweep GetItem, PutItem sweep#                         GetItem, PutItem
//	SaveKnown       PutItem known#                                   PutItem
//	Known, ActiveVersions Query known#                               Query
//	Hold, Release   PutItem lock#                                    PutItem
//	Paused, Switch  GetItem switch                                   GetItem
//	SetSwitch       PutItem switch                                   PutItem
//	Load-, SaveHook GetItem, PutItem hook#                           GetItem, PutItem
//
// A function may be held to its keys by the condition dynamodb:LeadingKeys:
// DeleteItem to active#*, and a webhook function as a whole to delivery#*.
//
// # A commit
//
// A batch is one transaction on the condition that the head is the one it was
// built on. A full batch of 40 intents takes at most 3 items (head, two
// counters), 6 pages of records, 40 actions and 40 package entries.
//
// When the answer to a transaction is lost, asking again may find the head
// moved by the first asking. Each call of Commit therefore writes a random
// token of its own on the head and on its last page: finding it there means
// that the batch was written. The hashes would not do: two workers that begin
// the same intents at the same instant make the same records. The token is the
// ClientRequestToken of the transaction too, and for the same reason is not
// derived from what the batch holds.
package dynamodb
