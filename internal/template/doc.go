// Package template reads template.yaml and holds it to what no linter knows:
// that it gives the functions the environment they read and the rights they
// need and no others, that its table is the one that the ledger wants, that
// its alarms watch metrics that are emitted, and that it ships safe.
//
// It also tells docs/aws.md its picture and its tables. It never speaks with
// AWS, and understands of CloudFormation what template.yaml uses.
package template
