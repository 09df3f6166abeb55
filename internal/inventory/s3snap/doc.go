// Package s3snap keeps package snapshots and the decision log on S3.
//
//	inventory/<owner>/<type>/<name>.json.gz                        the last reading of a package
//	decisions/v1/owner=<owner>/dt=<day>/run=<run>[.<part>].ndjson.gz   what was decided, a row a line
//
// There is no index beside the objects that could come to differ from them: an
// owner's snapshots are listed by prefix, which S3 answers with what is there at
// that moment. Owners are written in lower case.
//
// Calls and the actions they need: SaveSnapshot and SaveDecisions PutObject
// (s3:PutObject on inventory/*, decisions/*), Snapshot GetObject (s3:GetObject
// on inventory/*), Snapshots ListObjectsV2 too (s3:ListBucket with the prefix
// inventory/). Without s3:ListBucket S3 answers 403, not 404, for a snapshot
// that is not there. With a KMS key on the bucket kms:GenerateDataKey and
// kms:Decrypt go with them.
//
// The package never removes an object, and never gives out a snapshot of another
// package than the one its key stands for.
package s3snap
