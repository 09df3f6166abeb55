// Package s3snap keeps package snapshots, plans and the decision log on S3.
//
//	inventory/<owner>/<type>/<name>.json.gz                        the last reading of a package
//	plans/<owner>/<run>.json.gz                                    the sealed plan of a sweep
//	decisions/v1/owner=<owner>/dt=<day>/run=<run>[.<part>].ndjson.gz   what was decided, a row a line
//
// The head of each snapshot (of which package, in which state, read when) is kept
// where all of an owner's can be had at once, in Heads. Owners are written in
// lower case.
//
// Calls and the actions they need: SaveSnapshot, SavePlan and SaveDecisions
// PutObject (s3:PutObject on inventory/*, plans/*, decisions/*), Snapshot and
// LoadPlan GetObject (s3:GetObject on inventory/*, plans/*), Snapshots
// ListObjectsV2 too. s3:ListBucket is needed even where nothing is listed: without
// it S3 answers 403, not 404, for an object that is not there. With a KMS key on
// the bucket kms:GenerateDataKey and kms:Decrypt go with them.
//
// The package never removes an object, and never gives out a snapshot of another
// package than the one its key stands for.
package s3snap
