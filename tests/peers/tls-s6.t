#!/bin/sh
# The other UCSPI-TLS programs of today, on both sides of ours: s6-networking's
# s6-ucspitlsd and s6-tlsserver, and smtpd-starttls-proxy. They are not in Debian: these
# cases need them in the PATH, built from their source.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2034 # variables for the files that are read in
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../tls.sh"
. "$(dirname "$0")/chain.sh"
for part in s6-ucspitlsd s6-tlsd-io s6-tlsclient s6-tcpserver smtpd-starttls-proxy-io; do
	command -v "$part" >/dev/null || {
		echo "1..0 # SKIP $part is not here; Debian has none"
		exit 0
	}
done
need swaks openssl

prepare_chain
make_ca
make_certificate mx mx.example.org
hard_message "$work/hard"
perl -pe 'chomp if eof' "$work/hard" >"$work/hard.no-end"

# exchange NAME RECIPIENT [SWAKS-OPTION…]
exchange() {
	exchange_name=$1 exchange_to=$2
	shift 2
	swaks --server 127.0.0.1 --port "$port" --helo client.example \
		--from a@client.example --to "$exchange_to@example.org" \
		--data "@$work/hard.no-end" "$@" >"$work/swaks.out" 2>&1
	is $? 0 "$exchange_name: swaks says that it went well"
	arrived "$exchange_to@example.org" "$work/hard" 'byte for byte'
}
started_tls() {
	like "$(cat "$work/swaks.out")" '^=== TLS started with cipher TLSv1\.[23]:' 'inside TLS'
}

# Our TLS, their STARTTLS, our SMTP.
export CERTFILE="$work/mx"
start_sslserver "$work/log" -n -x "$work/rules.cdb" -- smtpd-starttls-proxy-io smtpd
exchange 'sslserver -n, smtpd-starttls-proxy-io' one -tls
started_tls
like "$(cat "$work/log")" '^sslserver: tls [0-9]+ accept' 'which is ours'
exchange 'the same without STARTTLS' two
stop "$server"
start_tcpserver "$work/log" -x "$work/rules.cdb" -- \
	ucspi-tls smtpd-starttls-proxy-io smtpd
exchange 'ucspi-tls without tlsd, smtpd-starttls-proxy-io' three -tls
started_tls
stop "$server"

# Their TLS, our STARTTLS.
export CERTFILE="$work/mx.crt" KEYFILE="$work/mx.key"
start_tcpserver "$work/log" -x "$work/rules.cdb" -- s6-ucspitlsd recordio smtpd
exchange 's6-ucspitlsd, recordio, smtpd' four -tls
started_tls
exchange 'the same without STARTTLS' five
stop "$server"

# Their server in front of our stages.
free=$(free_port)
s6-tcpserver -1 -v 127.0.0.1 "$free" ucspi-tls smtpd 3>"$work/ready" >"$work/port" \
	2>"$work/log" &
server=$!
started="$started $server"
wait_until test -s "$work/port"
port=$free
exchange 's6-tcpserver, ucspi-tls, smtpd' six -tls
started_tls
stop "$server"
unset KEYFILE

# Their client, our server.
export CERTFILE="$work/mx"
start_sslserver "$work/log" -- smtpd
# shellcheck disable=SC2016 # their shell is to expand
CERTFILE='' CAFILE="$work/ca.pem" s6-tlsclient -k mx.example.org 127.0.0.1 "$port" \
	sh -c 'read -r greeting <&6; printf "QUIT\r\n" >&7; cat <&6' >"$work/out" 2>"$work/err"
like "$(cat "$work/out")" '^221 ' 's6-tlsclient: a certificate that it verifies, and a session'
wait_for_line "$work/log" ' sni mx.example.org full$'
is $? 0 'in our log'
stop "$server"
done_testing
