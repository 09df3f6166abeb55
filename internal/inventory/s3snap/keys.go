package s3snap

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// longestPart keeps every key below S3's 1,024 bytes.
const longestPart = 200

// escape writes a name with characters that S3 and every tool around it take as
// they are: letters, digits, dot, hyphen and underscore stay, every other byte
// becomes ! and two hex digits. Different names stay different; one that gets
// longer than 200 characters ends in its SHA-256.
func escape(name string) string {
	var b strings.Builder
	for _, c := range []byte(name) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '-' || c == '_' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "!%02X", c)
		}
	}
	if b.Len() <= longestPart {
		return b.String()
	}
	sum := sha256.Sum256([]byte(name))
	// "!-" is nothing that the escaping above gives.
	return b.String()[:longestPart-2*sha256.Size-2] + "!-" + hex.EncodeToString(sum[:])
}

func ownerPrefix(owner string) string { return "inventory/" + escape(strings.ToLower(owner)) + "/" }

func snapshotKey(ref retention.PackageRef) string {
	return ownerPrefix(ref.Owner) + escape(string(ref.Type)) + "/" + escape(ref.Name) + ".json.gz"
}

func planKey(owner, run string) string {
	return "plans/" + escape(strings.ToLower(owner)) + "/" + escape(run) + ".json.gz"
}

func decisionsKey(l Log) string {
	name := "run=" + escape(l.Run)
	if l.Part != "" {
		name += "." + escape(l.Part)
	}
	return "decisions/v1/owner=" + escape(strings.ToLower(l.Owner)) + "/dt=" + l.At.UTC().Format(time.DateOnly) + "/" + name + ".ndjson.gz"
}
