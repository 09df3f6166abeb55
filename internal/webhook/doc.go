// Package webhook turns GitHub's webhook deliveries into work items: it checks
// the signature, decodes the payload with structs of its own (go-github v62
// decodes no package event), drops what is not ours or came twice, queues a
// reference to the package and says so in one audit line.
//
// It never decides, never calls GitHub, holds no GitHub credential, and keeps
// and logs no payload. It imports no policy engine and no AWS SDK: queue,
// delivery store, secrets and owners come in as small interfaces.
//
// Delivery is at least once. A delivery is marked seen only after it has been
// queued; where the store of seen deliveries fails, the event is queued and the
// queue's deduplication id catches the repetition.
package webhook
