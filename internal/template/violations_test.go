package template

func violations() []violation {
	return []violation{
		{"ships safe", "enforces by default", "Default: observe", "Default: enforce"},
		{"ships safe", "ticks by default", "Default: DISABLED", "Default: ENABLED"},
		{"ships safe", "ticks whatever the parameter says", "State: !Ref Schedule", "State: ENABLED"},
		{"ships safe", "a mode of its own", "SHELFLIFE_MODE: !Ref Mode", "SHELFLIFE_MODE: enforce"},
		{"ships safe", "another tick", `'{"kind":"tick"}'`, `'{"kind":"run"}'`},
		{"ships safe", "a second schedule", "        Work:\n          Type: SQS", "        Second: {Type: ScheduleV2}\n        Work:\n          Type: SQS"},

		{"environment", "a misspelt variable", "SHELFLIFE_TABLE: ", "SHELFLIFE_TABEL: "},
		{"environment", "a variable that nobody reads", "SHELFLIFE_SEAL_KEY_ID: ", "SHELFLIFE_OTHER: x\n          SHELFLIFE_SEAL_KEY_ID: "},
		{"environment", "a variable of the other function", "SHELFLIFE_WEBHOOK_SECRET: !Ref", "SHELFLIFE_SEAL_KEY_ID: !Ref"},

		{"timeouts", "items come back while they are worked on", "VisibilityTimeout: 960", "VisibilityTimeout: 899"},
		{"timeouts", "no time for a slice", "Timeout: 900", "Timeout: 149"},
		{"timeouts", "a webhook slower than GitHub waits", "Timeout: 10 ", "Timeout: 11 "},
		{"timeouts", "Lambda's own timeout of 3 s", "      Timeout: 900\n", ""},

		{"queues", "changes that look alike are dropped", "ContentBasedDeduplication: false", "ContentBasedDeduplication: true"},
		{"queues", "ids of two owners collide", "DeduplicationScope: messageGroup", "DeduplicationScope: queue"},
		{"queues", "one failure sets an item aside", "maxReceiveCount: 5", "maxReceiveCount: 1"},
		{"queues", "no dead-letter queue", "deadLetterTargetArn: !GetAtt DeadLetterQueue.Arn", "deadLetterTargetArn: other"},
		{"queues", "dead letters vanish early", "      FifoQueue: true\n      MessageRetentionPeriod: 1209600", "      FifoQueue: true\n      MessageRetentionPeriod: 345600"},
		{"queues", "fed from elsewhere", "Queue: !GetAtt WorkQueue.Arn", "Queue: arn:aws:sqs:us-east-1:1:x"},

		{"event sources", "a whole batch is repeated", "FunctionResponseTypes: [ReportBatchItemFailures]", "FunctionResponseTypes: []"},
		{"event sources", "one worker at most", "MinValue: 2", "MinValue: 1"},
		{"event sources", "a batch of 100", "BatchSize: 10 ", "BatchSize: 100 "},
		{"event sources", "no bound on the workers", "MaximumConcurrency: !Ref MaximumConcurrency", "MaximumConcurrency: 1000"},
		{"event sources", "any path", "Path: /webhook", "Path: /{proxy+}"},
		{"event sources", "no throttle", "POST /webhook: {Throttling", "POST /other: {Throttling"},
		{"event sources", "the log holds the body", `"ip":"$context`, `"body":"$context`},

		{"table", "another key", "AttributeName: sk, KeyType: RANGE", "AttributeName: sort, KeyType: RANGE"},
		{"table", "paid by the hour", "BillingMode: PAY_PER_REQUEST", "BillingMode: PROVISIONED"},
		{"table", "deliveries are never forgotten", "AttributeName: ttl", "AttributeName: until"},
		{"table", "no recovery", "PointInTimeRecoveryEnabled: true", "PointInTimeRecoveryEnabled: false"},
		{"table", "no protection", "DeletionProtectionEnabled: true", "DeletionProtectionEnabled: false"},
		{"table", "not encrypted", "SSEEnabled: true", "SSEEnabled: false"},
		{"table", "an index", "      BillingMode", "      GlobalSecondaryIndexes: [{IndexName: x}]\n      BillingMode"},

		{"retained", "the ledger goes with the stack", "    Type: AWS::DynamoDB::Table\n    DeletionPolicy: Retain", "    Type: AWS::DynamoDB::Table\n    DeletionPolicy: Delete"},
		{"retained", "the bucket goes when it is replaced", "    Type: AWS::S3::Bucket\n    DeletionPolicy: Retain\n    UpdateReplacePolicy: Retain", "    Type: AWS::S3::Bucket\n    DeletionPolicy: Retain"},
		{"retained", "the App's key goes with the stack", "    Condition: OwnsAppKey\n    DeletionPolicy: Retain", "    Condition: OwnsAppKey\n    DeletionPolicy: Delete"},

		{"rights in one place", "a managed policy", "Description: What WebhookFunction may do.", "ManagedPolicyArns: [arn:aws:iam::aws:policy/AdministratorAccess]"},
		{"rights in one place", "a policy on the function", "Timeout: 900", "Timeout: 900\n      Policies: [AmazonSQSFullAccess]"},
		{"rights in one place", "one role for both", "Role: !GetAtt WebhookRole.Arn", "Role: !GetAtt EnforcerRole.Arn"},
		{"rights in one place", "no reason", "Sid: QueueWork\n            ", ""},

		{"no wildcards", "every action of a service", "Action: sqs:SendMessage", "Action: sqs:*"},
		{"no wildcards", "actions by pattern", "- dynamodb:Query", "- dynamodb:Q*"},
		{"no wildcards", "every action", "Action: s3:ListBucket", `Action: "*"`},
		{"no wildcards", "every queue", "Action: sqs:SendMessage\n            Resource: !GetAtt WorkQueue.Arn", "Action: sqs:SendMessage\n            Resource: \"*\""},
		{"no wildcards", "tracing with more", "Action: [xray:PutTraceSegments, xray:PutTelemetryRecords]", "Action: [xray:PutTraceSegments, logs:CreateLogGroup]"},
		{"no wildcards", "the whole bucket", "!Sub ${Bucket.Arn}/decisions/*", "!Sub ${Bucket.Arn}/*"},
		{"no wildcards", "all functions of the account", "Action: lambda:InvokeFunction\n            Resource: !GetAtt EnforcerFunction.Arn", "Action: lambda:InvokeFunction\n            Resource: !Sub \"arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:*\""},
		{"no wildcards", "all but one resource", "Action: sqs:SendMessage\n            Resource: !GetAtt WorkQueue.Arn", "Action: sqs:SendMessage\n            NotResource: !GetAtt DeadLetterQueue.Arn"},
		{"no wildcards", "somebody else's resource", "Resource: !Ref WebhookSecret", "Resource: arn:aws:secretsmanager:us-east-1:1:secret:x"},

		{"never allowed", "a scan", "- dynamodb:Query", "- dynamodb:Scan"},
		{"never allowed", "removing snapshots", "[s3:GetObject, s3:PutObject]", "[s3:GetObject, s3:PutObject, s3:DeleteObject]"},
		{"never allowed", "importing another key", "Action: kms:GetPublicKey", "Action: [kms:GetPublicKey, kms:ImportKeyMaterial]"},

		{"calls are allowed", "a right is missing", "- dynamodb:BatchGetItem\n", "- dynamodb:GetItem\n"},
		{"calls are allowed", "seals can't be checked", "Action: [kms:GenerateMac, kms:VerifyMac]", "Action: kms:GenerateMac"},
		{"calls are allowed", "a right that nothing uses", "- sqs:SendMessage\n", "- sqs:SendMessage\n              - sqs:ChangeMessageVisibility\n"},

		{"partition keys", "the webhook reaches the ledger", `"dynamodb:LeadingKeys": [delivery#*]`, `"dynamodb:LeadingKeys": [delivery#*, "switch"]`},
		{"partition keys", "the enforcer deletes records", `"dynamodb:LeadingKeys": [active#*]`, `"dynamodb:LeadingKeys": [active#*, records#*]`},
		{"partition keys", "an item of the ledger is out of reach", "                  - runs#*\n", ""},
		{"partition keys", "calls without a key pass", "              \"Null\": {\"dynamodb:LeadingKeys\": \"false\"}\n", ""},
		{"partition keys", "batches write anything", `"dynamodb:LeadingKeys": [manifest#*]`, `"dynamodb:LeadingKeys": ["*"]`},

		{"folders of the bucket", "plans can't be read", `, !Sub "${Bucket.Arn}/plans/*"]`, "]"},
		{"folders of the bucket", "decisions can be read", "Action: s3:PutObject\n", "Action: [s3:GetObject, s3:PutObject]\n"},
		{"folders of the bucket", "a folder that nothing writes", "${Bucket.Arn}/plans/*", "${Bucket.Arn}/athena/*"},

		{"webhook has little", "it reads work", "Sid: QueueWork\n            Effect: Allow\n            Action: sqs:SendMessage", "Sid: QueueWork\n            Effect: Allow\n            Action: [sqs:SendMessage, sqs:ReceiveMessage]"},
		{"webhook has little", "it reads the token", "Resource: !Ref WebhookSecret", "Resource: !Ref GitHubToken"},

		{"keys are used as meant", "a key that AWS made", "Origin: EXTERNAL", "Origin: AWS_KMS"},
		{"keys are used as meant", "another algorithm", `"kms:SigningAlgorithm": RSASSA_PKCS1_V1_5_SHA_256`, `"kms:SigningAlgorithm": RSASSA_PSS_SHA_256`},
		{"keys are used as meant", "administrators sign", "- kms:GetPublicKey", "- kms:Sign"},
		{"keys are used as meant", "administrators may all", "- kms:GetPublicKey", "- kms:*"},

		{"alarms", "one is missing", "  PausedAlarm:\n    Type: AWS::CloudWatch::Alarm", "  PausedAlarm:\n    Type: AWS::CloudWatch::Nothing"},
		{"alarms", "one is unknown", "  PausedAlarm:", "  PauseAlarm:"},
		{"alarms", "a bound that is never reached", "Threshold: 80", "Threshold: 100"},
		{"alarms", "the wrong queue", "QueueName, Value: !GetAtt DeadLetterQueue.QueueName}\n      Statistic", "QueueName, Value: !GetAtt WorkQueue.QueueName}\n      Statistic"},
		{"alarms", "silence is health", "TreatMissingData: breaching", "TreatMissingData: notBreaching"},
		{"alarms", "nobody is told", `AlarmActions: [!If [HasEmail, !Ref AlarmTopic, !Ref "AWS::NoValue"], `, "AlarmActions: ["},

		{"metrics are emitted", "an alarm on nothing", "MetricName: Heartbeat", "MetricName: HeartBeat"},
		{"metrics are emitted", "another service", "{Name: service, Value: enforcer}", "{Name: service, Value: sweeper}"},
		{"metrics are emitted", "a widget on nothing", `MetricName=\"Held\"`, `MetricName=\"Helt\"`},
		{"metrics are emitted", "a search that can't be read", `SEARCH('{Shelflife,service,owner} MetricName=\"Failed\"'`, `SEARCH('MetricName=\"Failed\"'`},
		{"metrics are emitted", "a broken dashboard", `{"widgets": [`, `{"widgets": `},
		{"metrics are emitted", "an alarm that the dashboard lacks", `"${BudgetAlarm.Arn}", `, ""},

		{"decision columns", "a column that is not written", "{Name: guard, Type: string", "{Name: guards, Type: string"},
		{"decision columns", "a column twice", "{Name: account, Type: string}", "{Name: owner, Type: string}"},
		{"decision columns", "another folder", "owner=${!account}/", "account=${!account}/"},
		{"decision columns", "no projection", `projection.enabled: "true"`, `projection.enabled: "false"`},

		{"suppressions are explained", "no reason", `comment: "The schedule's input is the word tick."`, `comment: ok`},
		{"suppressions are explained", "a reason that is nowhere", `comment: "As for WebhookSecret."`, `comment: "As for Outputs."`},

		{"no secrets in variables", "a secret as a parameter", "SHELFLIFE_WEBHOOK_SECRET: !Ref WebhookSecret", "SHELFLIFE_WEBHOOK_SECRET: !Ref AppId"},
		{"no secrets in variables", "a secret resolved into the environment", "SHELFLIFE_WEBHOOK_SECRET: !Ref WebhookSecret", `SHELFLIFE_WEBHOOK_SECRET: "{{resolve:secretsmanager:x}}"`},
	}
}
