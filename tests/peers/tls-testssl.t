#!/bin/sh
# testssl.sh finds nothing of severity MEDIUM or worse in what we offer unless told
# otherwise: protocols, ciphers, the certificate as we present it, and all the
# vulnerabilities that it knows. Takes a minute and a half.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2034 # variables for the files that are read in
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../tls.sh"
. "$(dirname "$0")/chain.sh"
need testssl openssl python3

prepare_chain
make_ca
# Not so short that its end is near.
make_certificate -d 200 mx mx.example.org
export CERTFILE="$work/mx" UCSPITLS=''

# scan NAME OPTION… SERVER: in the background, its pid in $scan; findings in
# $work/NAME.json
scan() {
	scan_name=$1
	shift
	testssl --quiet --color 0 --warnings batch --ip 127.0.0.1 --nodns none \
		--add-ca "$work/ca.pem" --jsonfile "$work/$scan_name.json" "$@" \
		</dev/null >"$work/$scan_name.out" 2>&1 &
	scan=$!
	started="$started $scan"
}
# findings NAME: "SEVERITY ID FINDING"
findings() {
	python3 - "$work/$1.json" <<'END'
import json, sys
for found in json.load(open(sys.argv[1])):
    print(found['severity'], found['id'], found['finding'])
END
}

start_sslserver "$work/log" -- smtpd
scan at-once -p -s -f -P -S -U "mx.example.org:$port"
at_once=$scan
start_sslserver "$work/starttls.log" -n -- smtpd
scan starttls -t smtp -p -s -S "mx.example.org:$port"
starttls=$scan
wait "$at_once" "$starttls"

for way in at-once starttls; do
	findings "$way" >"$work/$way" || not_ok "$way: no findings" \
		"$(tail -n 20 "$work/$way.out")"
	is "$(grep -E '^(MEDIUM|HIGH|CRITICAL|FATAL) ' "$work/$way")" '' \
		"$way: nothing of severity MEDIUM or worse"
	is "$(grep -E '^LOW ' "$work/$way")" '' "$way: nor LOW"
	like "$(cat "$work/$way")" '^OK TLS1_3 offered' "$way: TLS 1.3"
	like "$(cat "$work/$way")" '^OK TLS1_2 offered' "$way: TLS 1.2"
	like "$(cat "$work/$way")" '^[A-Z]+ TLS1_1 not offered' "$way: no TLS 1.1"
	like "$(cat "$work/$way")" '^OK cipherlist_NULL not offered' "$way: no NULL ciphers"
	like "$(cat "$work/$way")" '^OK cert_trust' "$way: the name of the certificate"
	like "$(cat "$work/$way")" '^OK cert_chain_of_trust passed' "$way: and its chain"
done
# That these were looked for at all.
for known in heartbleed CCS ROBOT secure_renego secure_client_renego CRIME_TLS POODLE_SSL \
	fallback_SCSV SWEET32 FREAK DROWN LOGJAM BEAST LUCKY13 RC4; do
	like "$(cat "$work/at-once")" "^(OK|INFO) $known " "$known"
done
like "$(cat "$work/at-once")" '^OK cipher_order' 'the server chooses the cipher'
like "$(cat "$work/at-once")" '^OK (PFS|FS) ' 'with forward secrecy'
done_testing
