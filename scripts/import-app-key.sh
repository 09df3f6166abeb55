#!/usr/bin/env bash
# Imports a GitHub App's private key into a KMS key that has none yet (RSA_2048, SIGN_VERIFY, EXTERNAL).
#
#   scripts/import-app-key.sh KEY_ID APP.pem
#
# Needs aws with credentials that may kms:GetParametersForImport, ImportKeyMaterial and GetPublicKey on the key, and openssl 3.
# The private key leaves this machine only wrapped: AES-256 key wrap with padding (RFC 5649) under a key of one use, and that
# under the RSA key that KMS gives out for this import. KMS takes an RSA private key in no other way: it is larger
# (about 1,200 bytes) than RSA-OAEP with a 4,096-bit key can hold (446).
set -euo pipefail

fail() { echo "import-app-key: $*" >&2; exit 1; }
[ $# = 2 ] || { sed -n '2,5p' "$0" | sed 's/^# \{0,1\}//' >&2; exit 2; }
key_id=$1 pem=$2
[ -r "$pem" ] || fail "$pem can't be read; give the .pem file that GitHub let you download"
openssl list -cipher-algorithms 2>/dev/null | grep -qi 'id-aes256-wrap-pad' ||
	fail "this openssl ($(openssl version)) has no AES key wrap; put OpenSSL 3 on the path"

umask 077
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# GitHub gives out PKCS #1; KMS wants PKCS #8 in DER.
openssl pkcs8 -topk8 -nocrypt -in "$pem" -outform DER -out "$work/key.der" 2>/dev/null || fail "$pem holds no private key that openssl can read"
openssl pkey -in "$pem" -pubout -outform DER -out "$work/public.der"
[ "$(wc -c <"$work/public.der" | tr -d ' ')" = 294 ] || fail "$pem is no RSA key of 2,048 bits, which is what GitHub makes and the KMS key takes"

aws kms get-parameters-for-import --key-id "$key_id" --wrapping-algorithm RSA_AES_KEY_WRAP_SHA_256 --wrapping-key-spec RSA_4096 \
	--query '[PublicKey,ImportToken]' --output text >"$work/parameters"
read -r public token <"$work/parameters" || [ -n "${token:-}" ] || fail "KMS gave no parameters for the import"
printf %s "$public" | openssl base64 -d -A -out "$work/wrapping.der"
printf %s "$token" | openssl base64 -d -A -out "$work/token"

# openssl takes the key of one use on its command line, where other users of this machine could see it for that moment.
openssl rand -out "$work/aes" 32
openssl enc -e -id-aes256-wrap-pad -K "$(od -An -v -tx1 "$work/aes" | tr -d ' \n')" -iv A65959A6 -in "$work/key.der" -out "$work/wrapped-key"
openssl pkeyutl -encrypt -pubin -keyform DER -inkey "$work/wrapping.der" -in "$work/aes" -out "$work/wrapped-aes" \
	-pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256 -pkeyopt rsa_mgf1_md:sha256
cat "$work/wrapped-aes" "$work/wrapped-key" >"$work/material"

aws kms import-key-material --key-id "$key_id" --encrypted-key-material "fileb://$work/material" --import-token "fileb://$work/token" \
	--expiration-model KEY_MATERIAL_DOES_NOT_EXPIRE >/dev/null

# KMS derives the public half from what it has got.
aws kms get-public-key --key-id "$key_id" --query PublicKey --output text >"$work/imported"
[ "$(tr -d ' \n' <"$work/imported")" = "$(openssl base64 -A -in "$work/public.der")" ] ||
	fail "KMS now has another key than $pem; delete its key material (aws kms delete-imported-key-material) and try again"
echo "imported: $key_id signs as $pem does. Now delete $pem, and every copy of it."
