// Package awstest gives tests the AWS services that Shelflife uses, served on
// this machine: moto for all of them and, where it is installed, DynamoDB Local as
// a second opinion on transactions and conditions.
//
// Each server is started once for a test binary, at the first call, or for one
// test that asks for its own. It ends with the binary even when that is killed. The
// package never calls AWS: its credentials are made up and its endpoints are on the
// loopback interface.
package awstest
