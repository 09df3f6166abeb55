// Package awsbundle gets policy bundles from S3, keeps the last good one there, and
// reads verification keys from KMS. It is apart from package bundles so that what
// loads policies knows no cloud.
//
//	bundles/<digest>.json   the last good bundle of the source with that digest of its address
//
// Calls and the actions they need: Getter.Get s3:GetObject on the bundle; Store
// s3:GetObject and s3:PutObject on bundles/* of its bucket (without s3:ListBucket
// S3 answers 403 where nothing has been kept yet, which is an error here);
// PublicKey kms:GetPublicKey. It never signs and never deletes.
package awsbundle
