#!/bin/sh
# smtpd and relaying by certificate: control/tlsclients, what the TLS process says of
# the client's certificate, and the whole way with control/clientca.pem.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
need openssl python3
. "$tests/tls.sh"

# relays CASE BLOCK REPLY [SETTING…]: what becomes of a recipient that is not ours
relays() {
	echo
	echo "== $1"
	echo once
	echo "env TLS_BLOCK=$2"
	relays_reply=$3
	shift 3
	[ $# -eq 0 ] || printf '%s\n' "$@"
	cat <<END
S: 220 *
C: STARTTLS
S: 220 ready for tls
C: MAIL FROM:<a@client.example>
C: RCPT TO:<u@elsewhere.example>
C: RCPT TO:<u@example.org>
S: 250 ok
S: $relays_reply
S: 250 ok
END
}
not_ours="553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)"
no_cert='553 no valid cert for gatewaying (#5.7.1)'
good='SSL_VERIFY_STATUS=OK@SSL_CLIENT_S_DN_Email=JOE%40example.net@@'
{
	echo "env QMAILQUEUE=$work/queue"
	printf '%s\n' 'control tlsclients jane@example.org\njoe@example.net'
	relays 'its address is listed' "$good" '250 ok'
	relays 'there is no list' "$good" "$not_ours" 'control tlsclients'
	relays 'the list is empty' "$good" "$no_cert" 'control tlsclients #'
	relays 'it is not in the list' "$good" "$no_cert" \
		'control tlsclients oe@example.net\nexample.net\njoe@example.ne'
	relays 'no certificate' 'SSL_VERIFY_STATUS=NOCERT@@' "$no_cert"
	relays 'nothing is said of it' 'SSL_PROTOCOL=TLSv1.3@@' "$no_cert"
	relays 'a certificate without an address' \
		'SSL_VERIFY_STATUS=OK@SSL_PEER_CERT_SUBJECT=/CN=x/emailAddress=joe%40example.net@@' \
		"$no_cert"
	relays 'an empty address' 'SSL_VERIFY_STATUS=OK@SSL_CLIENT_S_DN_Email=@@' "$no_cert"
	relays 'not verified' \
		'SSL_VERIFY_STATUS=FAIL@SSL_VERIFY_STRING=certificate has expired@SSL_CLIENT_S_DN_Email=joe%40example.net@@' \
		'553 no valid cert for gatewaying: certificate has expired (#5.7.1)'
	relays 'not verified, for no cause' \
		'SSL_VERIFY_STATUS=FAIL@SSL_CLIENT_S_DN_Email=joe%40example.net@@' "$no_cert"
	relays 'a cause that is no line' 'SSL_VERIFY_STATUS=FAIL@SSL_VERIFY_STRING=a%0Db@@' \
		'553 no valid cert for gatewaying: a?b (#5.7.1)'
	relays 'a status that is another word' \
		'SSL_VERIFY_STATUS=OKAY@SSL_CLIENT_S_DN_Email=joe%40example.net@@' "$no_cert"
	relays 'without rcpthosts it may relay as well' "$good" '250 ok' \
		'control rcpthosts'
	cat <<END

== what it may send is not asked for in the table
once
env TLS_BLOCK=$good
env VALIDRCPTTO_CDB=$work/valid.cdb
S: 220 *
C: STARTTLS
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@elsewhere.example>
C: RCPT TO:<nobody@example.org>
C: DATA
S*3: 250 ok
S: 354 *
C: .
S: 250 ok *
E: *
LOG: queue: RELAYCLIENT=

== with XCLIENT it is the certificate of somebody else
once
env TLS_BLOCK=$good
env XCLIENT=1
S: 220 *
C: STARTTLS
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@elsewhere.example>
C: RSET
S*2: 250 ok
S: 250 flushed
C: XCLIENT ADDR=198.51.100.9
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@elsewhere.example>
S: 250 ok
S: $not_ours

== before STARTTLS nobody has one
once
env TLS_BLOCK=$good
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@elsewhere.example>
S: 250 ok
S: $not_ours
END
} >"$work/plain.txt"
cat >"$work/queue" <<'END'
#!/bin/sh
echo "queue: RELAYCLIENT=${RELAYCLIENT-unset}" >&2
exec queue-stub
END
chmod 755 "$work/queue"
printf '+20,0:somebody@example.org->\n\n' >"$work/valid"
cdb -c "$work/valid.cdb" "$work/valid"
dialogues "$work/plain.txt" -- ucspi-plain smtpd

# --- with real certificates
make_ca
make_ca other "Another CA"
make_certificate server mx.example
make_certificate -s '/CN=joe/emailAddress=joe@example.net' joe joe.example
make_certificate -s '/CN=x\/emailAddress=joe@example.net' liar liar.example
make_certificate -c other -s '/CN=joe/emailAddress=joe@example.net' stranger joe.example
cat >"$work/client" <<'END'
import smtplib
import ssl
import sys

port, certificate = int(sys.argv[1]), sys.argv[2]
context = ssl._create_unverified_context()
if certificate != "none":
    context.load_cert_chain(certificate)
server = smtplib.SMTP("127.0.0.1", port, timeout=30)
print(server.starttls(context=context)[0])
server.ehlo("client")
server.mail("a@client.example")
print(*server.rcpt("u@elsewhere.example"))
server.quit()
END
mkdir "$work/control" "$work/messages"
echo mx.example >"$work/control/me"
echo example.org >"$work/control/rcpthosts"
echo joe@example.net >"$work/control/tlsclients"
cp "$work/ca.pem" "$work/control/clientca.pem"
cp "$work/server" "$work/control/servercert.pem"
export CONTROLDIR="$work/control" QUEUE_DIR="$work/messages"
talk() {
	said=$(python3 "$work/client" "$port" "$1" 2>&1)
}
try_all() {
	talk "$work/joe"
	is "$said" "220
250 b'ok'" "$1: who is listed may relay"
	talk none
	is "$said" "220
553 b'no valid cert for gatewaying (#5.7.1)'" 'who shows none may not'
	talk "$work/server"
	is "$said" "220
553 b'no valid cert for gatewaying (#5.7.1)'" 'nor with one that has no address'
	talk "$work/liar"
	is "$said" "220
553 b'no valid cert for gatewaying (#5.7.1)'" 'nor with one that has it in its name'
	talk "$work/stranger"
	like "$said" "^553 b'no valid cert for gatewaying: unable to .*\\(#5.7.1\\)'" \
		'nor with one that anybody can make'
}
name='by the control files alone'
if is_here tlsd "$name" && is_here ucspi-tls "$name"; then
	start_tcpserver "$work/log" -- smtpd
	try_all "$name"
	stop "$server"
	rm "$work/control/clientca.pem"
	start_tcpserver "$work/log" -- smtpd
	talk "$work/joe"
	is "$said" "220
553 b'no valid cert for gatewaying (#5.7.1)'" 'without clientca.pem nobody is asked for one'
	stop "$server"
	export CERTFILE="$work/server" CCAFILE="$work/ca.pem"
	start_tcpserver "$work/log" -- ucspi-tls -s smtpd
	try_all 'with ucspi-tls -s in the chain'
	stop "$server"
fi
done_testing
