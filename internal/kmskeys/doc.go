// Package kmskeys signs with keys that never leave AWS KMS: App tokens with the
// GitHub App's private key, and plans with an HMAC key.
//
// It never creates, exports or describes a key, and holds no key material.
package kmskeys
