package template

import (
	"slices"
	"strings"
)

// rightsInOnePlace: rights are in the statements that Permissions reads, with
// the reason as their Sid, and nowhere else.
func rightsInOnePlace(t Template, _ Facts) []string {
	var b breaches
	used := map[string]string{}
	for _, name := range t.Order {
		r := t.Resources[name]
		switch r.Type {
		case "AWS::IAM::Role":
			if at(r.Properties, "Policies") != nil || at(r.Properties, "ManagedPolicyArns") != nil {
				b.add("%s has policies of its own", name)
			}
		case "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::UserPolicy", "AWS::IAM::User":
			b.add("%s is a %s", name, r.Type)
		case "AWS::Serverless::Function":
			if at(r.Properties, "Policies") != nil {
				b.add("%s has policies of its own", name)
			}
			role := first(references(at(r.Properties, "Role")))
			if t.Resources[role].Type != "AWS::IAM::Role" {
				b.add("%s has no role in this template", name)
			} else if other := used[role]; other != "" {
				b.add("%s and %s share a role", name, other)
			}
			used[role] = name
		}
	}
	for _, p := range t.Permissions() {
		if p.Sid == "" {
			b.add("a statement of %s has no Sid to say why", p.Policy)
		}
		if t.Resources[p.Role].Type != "AWS::IAM::Role" {
			b.add("a statement of %s is for no role of this template", p.Policy)
		}
	}
	return b
}

// noResource are the actions that AWS can't bind to a resource.
var noResource = []string{"xray:PutTraceSegments", "xray:PutTelemetryRecords"}

// noWildcards: every right names its actions and its resources. A * is left
// where it must be: X-Ray, the objects below a prefix of the bucket, and a key
// in its own policy.
func noWildcards(t Template, _ Facts) []string {
	var b breaches
	for _, p := range t.Permissions() {
		for _, a := range p.Actions {
			if strings.Contains(a, "*") || !strings.Contains(a, ":") {
				b.add("%s %s allows the action %s", p.Role, p.Sid, a)
			}
		}
		unbound := !slices.ContainsFunc(p.Actions, func(a string) bool { return !slices.Contains(noResource, a) })
		for _, r := range p.On {
			name := show(r)
			switch prefix, rest, _ := strings.Cut(name, "/"); {
			case p.OfKey && name == "*", unbound && name == "*":
			case strings.Contains(prefix, "*"), strings.Contains(rest, "*") && !isPrefix(t, r, rest):
				b.add("%s %s allows %v on %s", p.Role, p.Sid, p.Actions, name)
			case len(references(r)) == 0:
				b.add("%s %s allows %v on %s, which is not of this template", p.Role, p.Sid, p.Actions, name)
			}
		}
		if len(p.On) == 0 {
			b.add("%s %s names no resource", p.Role, p.Sid)
		}
	}
	return b
}

// isPrefix reports whether a resource is the objects below a named prefix of a bucket.
func isPrefix(t Template, v any, rest string) bool {
	bucket := t.Resources[first(references(v))]
	folder, star, ok := strings.Cut(rest, "/")
	return bucket.Type == "AWS::S3::Bucket" && ok && star == "*" && folder != "" && !strings.Contains(folder, "*")
}

// refused are actions that no function may ever have: the ledger is read by its
// keys, nothing is removed from it but marks, and nobody raises his own rights.
var refused = []string{
	"dynamodb:Scan", "dynamodb:PartiQL", "dynamodb:DeleteTable", "dynamodb:UpdateTable", "s3:Delete", "s3:PutBucket", "s3:PutLifecycle",
	"kms:Decrypt", "kms:ImportKeyMaterial", "kms:ScheduleKeyDeletion", "kms:PutKeyPolicy", "kms:CreateGrant",
	"secretsmanager:Put", "secretsmanager:Update", "secretsmanager:Delete", "iam:", "sts:", "lambda:Update", "sqs:PurgeQueue",
}

func neverAllowed(t Template, _ Facts) []string {
	var b breaches
	for _, p := range t.Permissions() {
		for _, a := range p.Actions {
			if slices.ContainsFunc(refused, func(r string) bool { return strings.HasPrefix(strings.ToLower(a), strings.ToLower(r)) }) {
				b.add("%s %s allows %s", p.Role, p.Sid, a)
			}
		}
	}
	return b
}

// rightsOf are the rights that an operation takes, where they are not named like it.
var rightsOf = map[string][]string{
	"dynamodb:TransactWriteItems": {"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"},
	"s3:ListObjectsV2":            {"s3:ListBucket"},
}

// notCalled are rights that no code of the enforcer uses: Lambda uses them in its
// name.
var notCalled = append([]string{
	"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "logs:CreateLogStream", "logs:PutLogEvents",
}, noResource...)

// callsAreAllowed: the enforcer may do what its code does, and nothing else.
func callsAreAllowed(t Template, f Facts) []string {
	var b breaches
	var need, have []string
	for _, call := range f.Calls {
		if rights, ok := rightsOf[call]; ok {
			need = append(need, rights...)
		} else {
			need = append(need, call)
		}
	}
	for _, p := range t.Permissions() {
		if p.Role == "EnforcerRole" {
			have = append(have, p.Actions...)
		}
	}
	for _, a := range need {
		if !slices.Contains(have, a) {
			b.add("the enforcer's code calls %s, which it may not", a)
		}
	}
	for _, a := range have {
		if !slices.Contains(need, a) && !slices.Contains(notCalled, a) {
			b.add("the enforcer may %s, which its code does not call", a)
		}
	}
	return b
}

// partitionKeys: each function reaches the items that it needs, by the ledger's
// own list of them, and deletes those alone that the ledger deletes.
func partitionKeys(t Template, f Facts) []string {
	var b breaches
	others := slices.DeleteFunc(slices.Sorted(slices.Values(f.Ledger.Partitions)), func(k string) bool { return k == f.Ledger.Deliveries })
	for _, p := range t.Permissions() {
		if !slices.ContainsFunc(p.Actions, func(a string) bool { return strings.HasPrefix(a, "dynamodb:") }) {
			continue
		}
		got, ok := p.keysOf()
		if !ok {
			b.add("%s %s reaches all items: it lacks dynamodb:LeadingKeys, or the condition that it is there", p.Role, p.Sid)
			continue
		}
		want := others
		switch {
		case p.Role == "WebhookRole":
			want = []string{f.Ledger.Deliveries}
		case slices.Contains(p.Actions, "dynamodb:DeleteItem"):
			want = []string{f.Ledger.Deleted}
		case slices.Contains(p.Actions, "dynamodb:BatchWriteItem"): // the right to put is the right to delete
			want = []string{"manifest#*"}
		}
		if !slices.Equal(got, want) {
			b.add("%s %s reaches the items %v, not %v", p.Role, p.Sid, got, want)
		}
	}
	return b
}

// folders: what is written on S3 may be written, and read if it is state; the log
// of decisions is written alone.
func folders(t Template, f Facts) []string {
	var b breaches
	can := map[string][]string{}
	for _, p := range t.Permissions() {
		for _, r := range p.On {
			_, rest, ok := strings.Cut(show(r), "/")
			if folder, _, _ := strings.Cut(rest, "/"); ok && isPrefix(t, r, rest) {
				can[folder] = append(can[folder], p.Actions...)
			}
		}
	}
	for _, folder := range f.Folders {
		want := []string{"s3:GetObject", "s3:PutObject"}
		if strings.HasPrefix(f.Decisions, folder+"/") {
			want = want[1:]
		}
		if !slices.Equal(can[folder], want) {
			b.add("%s/ allows %v, the code needs %v", folder, can[folder], want)
		}
		delete(can, folder)
	}
	for _, folder := range sorted(can) {
		b.add("%s/ is nothing that the code writes", folder)
	}
	return b
}

// webhookHasLittle: the function that the internet can reach signs nothing,
// reads no package and holds no credential of GitHub.
func webhookHasLittle(t Template, _ Facts) []string {
	allowed := []string{
		"dynamodb:GetItem", "dynamodb:PutItem", "sqs:SendMessage", "secretsmanager:GetSecretValue", "logs:CreateLogStream", "logs:PutLogEvents",
		"xray:PutTraceSegments", "xray:PutTelemetryRecords",
	}
	var b breaches
	for _, p := range t.Permissions() {
		if p.Role != "WebhookRole" {
			continue
		}
		for _, a := range p.Actions {
			if !slices.Contains(allowed, a) {
				b.add("it may %s", a)
			}
			if a == "secretsmanager:GetSecretValue" && p.Where() != "WebhookSecret" {
				b.add("it may read %s", p.Where())
			}
		}
	}
	return b
}

// keyUse: each key is of the kind that the code uses, and the enforcer may use
// it with that algorithm alone; an account's administrators can't.
func keyUse(t Template, _ Facts) []string {
	var b breaches
	kinds := map[string]map[string]string{
		"AppKey":  {"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY", "Origin": "EXTERNAL"},
		"SealKey": {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC", "Origin": ""},
	}
	for _, k := range t.ofType("AWS::KMS::Key") {
		for _, name := range sorted(kinds[k.Name]) {
			b.want(k.Name+": "+name, text(at(k.Properties, name)), kinds[k.Name][name])
		}
		for _, s := range list(at(k.Properties, "KeyPolicy", "Statement")) {
			_, administrators := at(s, "Principal", "AWS", "Fn::Sub").(string)
			for _, a := range texts(at(s, "Action")) {
				use := slices.Contains([]string{"kms:Sign", "kms:GenerateMac", "kms:VerifyMac", "kms:*"}, a)
				if use && (administrators || text(at(s, "Principal")) == "*") {
					b.add("%s: whoever administers the account may %s", k.Name, a)
				}
				algorithm := text(at(s, "Condition", "StringEquals", "kms:SigningAlgorithm")) + text(at(s, "Condition", "StringEquals", "kms:MacAlgorithm"))
				if use && algorithm != "RSASSA_PKCS1_V1_5_SHA_256" && algorithm != "HMAC_SHA_256" {
					b.add("%s: %s is not bound to an algorithm", k.Name, a)
				}
			}
		}
	}
	return b
}
