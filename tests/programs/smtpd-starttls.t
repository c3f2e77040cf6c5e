#!/bin/sh
# smtpd and TLS: when STARTTLS is offered (cases 40 to 43 of the list, and the
# settings), what is forgotten at it, what the TLS process may say, how ucspi-tls
# is pulled in; in the clear first, then with real TLS, and through recordio.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
need openssl python3
unset SSL SMTPS SSLCERT CCAFILE FORCE_TLS DENY_TLS DISABLETLS UCSPITLS TLS_SERVER_CERT TLSCIPHERS SSLCTLFD SSLREADFD \
	SSLWRITEFD CERTFILE KEYFILE CERTCHAINFILE CIPHERS TLSD_FD TLSD_SOCKET

# A queue program that tells the log what it was given.
cat >"$work/queue" <<'END'
#!/bin/sh
env | grep -aE '^(SSL|UCSPITLS|PATH=bad)' | cut -c 1-60 | sed 's/^/queue: /' >&2
for fd in 0 1 2 3 4 5 6 7 8 9; do
	[ ! -e "/proc/$$/fd/$fd" ] || list="${list-} $fd"
done
echo "queue: descriptors$list" >&2
names=$(env | sed -n 's/^\(SSL[^=]*\)=.*/\1/p; s/^\(UCSPITLS\)=.*/\1/p' | sort | tr '\n' ' ')
echo "queue: names ${names% }" >&2
exec queue-stub
END
chmod 755 "$work/queue"

# offers CASE SETTING…: STARTTLS is offered
offers() {
	echo
	echo "== offered: $1"
	shift
	printf 'env %s\n' "$@"
	cat <<'END'
S: 220 *
C: EHLO client
S: 250-mx.example.org
S: 250-STARTTLS
S: 250-SIZE 0
S: 250-PIPELINING
S: 250-CHUNKING
S: 250-SMTPUTF8
S: 250 8BITMIME
C: QUIT
S: 221 *
END
}
# hides CASE REPLY SETTING…: it is not, and the reply to STARTTLS
hides() {
	echo
	echo "== not offered: $1"
	hides_reply=$2
	shift 2
	printf 'env %s\n' "$@"
	cat <<END
S: 220 *
C: EHLO client
S: 250-mx.example.org
S: 250-SIZE 0
S: 250-PIPELINING
S: 250-CHUNKING
S: 250-SMTPUTF8
S: 250 8BITMIME
C: STARTTLS
S: $hides_reply
C: MAIL FROM:<a@example.net>
S: 250 ok
C: QUIT
S: 221 *
END
}
refuses() {
	echo
	echo "== refused at the start: $1"
	shift
	printf 'env %s\n' "$@"
	cat <<'END'
S: 421 FORCE_TLS and DENY_TLS both found (#4.3.0)
EOF
STATUS: 1
LOG: qmail-smtpd[*]: TLS is required and cannot be had
END
}
absent='502 unimplemented (#5.5.1)'
denied='454 TLS not available (4.3.0)'
secured='454 TLS not available: already SSL secured (4.3.0)'

{
	offers 'the descriptors are there' X=1
	offers 'UCSPITLS is empty' UCSPITLS=
	offers 'UCSPITLS=1' UCSPITLS=1
	offers 'UCSPITLS=!' 'UCSPITLS=!'
	offers 'FORCE_TLS=1' FORCE_TLS=1
	offers 'DENY_TLS=0, SSL=0' DENY_TLS=0 SSL=0
	hides 'UCSPITLS=-' "$denied" UCSPITLS=-
	hides 'DENY_TLS=1' "$denied" DENY_TLS=1
	hides 'DISABLETLS=1, by another name' "$denied" DISABLETLS=1
	echo 'LOG: tls: declined'
	hides 'SSL=1' "$secured" SSL=1
	hides 'SMTPS=1, by another name' "$secured" SMTPS=1
	hides 'SSL=1, which is all that FORCE_TLS wants' "$secured" SSL=1 FORCE_TLS=1 DENY_TLS=1
	refuses 'FORCE_TLS and DENY_TLS' FORCE_TLS=1 DENY_TLS=1
	refuses 'FORCE_TLS and UCSPITLS=-' FORCE_TLS=1 UCSPITLS=-
	refuses 'UCSPITLS=! and DENY_TLS' 'UCSPITLS=!' DENY_TLS=1
	cat <<'END'

== FORCE_TLS: no MAIL before TLS, but all the rest
once
env FORCE_TLS=1
S: 220 *
C: MAIL FROM:<a@example.net>
S: 503 STARTTLS first (#5.5.1)
C: EHLO client
S*7: 250*
C: MAIL FROM:<a@example.net>
S: 503 STARTTLS first (#5.5.1)
C: RCPT TO:<u@example.org>
S: 503 MAIL first (#5.5.1)
C: NOOP
S: 250 ok
C: STARTTLS
S: 220 ready for tls
C: MAIL FROM:<a@example.net>
S: 250 ok

== 40: commands behind STARTTLS are not obeyed
once
S: 220 *
R: STARTTLS\r\nMAIL FROM:<evil@example.net>\r\n
S: 554 no commands behind STARTTLS (#5.5.1)
EOF
STATUS: 1
LOG: qmail-smtpd[*]: TLS failed [192.0.2.7]: commands behind STARTTLS
LOG: tls: declined

== 40: not even a part of one
once
S: 220 *
R: STARTTLS\r\n\n
S: 554 *
EOF
STATUS: 1

== 41: an argument
S: 220 *
C: STARTTLS now
S: 501 Syntax error (no parameters allowed) (#5.5.4)
C: NOOP
S: 250 ok

== 41: twice; 42: not offered inside
once
S: 220 *
C: EHLO client
S*7: 250*
C: starttls
S: 220 ready for tls
C: STARTTLS
S: 454 TLS not available: TLS already active (4.3.0)
C: EHLO again
S: 250-mx.example.org
S: 250-SIZE 0
S: 250-PIPELINING
S: 250-CHUNKING
S: 250-SMTPUTF8
S: 250 8BITMIME
C: QUIT
S: 221 *
LOG: tls: asked Y
LOG: tls: program ended

== 41: in a transaction, which is forgotten; 42: so is the name
once
S: 220 *
C: EHLO name.in.the.clear
S*7: 250*
C: MAIL FROM:<clear@example.net>
C: RCPT TO:<clear@example.org>
S*2: 250 ok
C: STARTTLS
S: 220 ready for tls
C: RCPT TO:<u@example.org>
S: 503 MAIL first (#5.5.1)
C: MAIL FROM:<a@example.net>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 ok
S: 354 *
C: Subject: x
C: .
S: 250 ok *
E: Fa@example.net\0Tu@example.org\0\0
T: Received: from client.example.net (192.0.2.7)\n  by mx.example.org with SMTP; *\n
M: Subject: x\n

== the trace names the cipher; the queue program gets SSL_* alone
once
env QMAILQUEUE=@work@/queue
env UCSPITLS=1
env TLS_BLOCK=SSL_PROTOCOL=TLSv1.3@SSL_CIPHER=TLS_AES_(128_GCM@PATH=bad@SSL_EMPTY=@SSL_A B=bad@SSL_@=@SSL_LONG=x70000:y@@
S: 220 *
C: STARTTLS
S: 220 *
C: EHLO inside
S*6: 250*
C: MAIL FROM:<a@example.net>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 ok
S: 354 *
C: .
S: 250 ok *
E: Fa@example.net\0Tu@example.org\0\0
T: Received: from client.example.net (HELO inside) (192.0.2.7)\n  by mx.example.org with TLS_AES_?128_GCM encrypted SMTP; *\n
M:
LOG: queue: SSL_PROTOCOL=TLSv1.3
LOG: queue: SSL_EMPTY=
LOG: queue: SSL_LONG=yyyyyyyyy*
LOG: queue: names SSL_CIPHER SSL_EMPTY SSL_LONG SSL_PROTOCOL
LOG: queue: descriptors 0 1 2 4 6

== SSL=1 is TLS in the trace, too
env SSL=1
env SSL_CIPHER=TLS_X
S: 220 *
C: MAIL FROM:<a@example.net>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 ok
S: 354 *
C: .
S: 250 ok *
E: Fa@example.net\0Tu@example.org\0\0
T: Received: from *\n  by mx.example.org with TLS_X encrypted SMTP; *\n
M:

== a block in pieces
once
env TLS_BLOCK=SSL_|PROTOCOL=|TLSv1.2@|SSL_CIPHER=A|@|@
S: 220 *
C: STARTTLS
S: 220 *
C: NOOP
S: 250 ok

== a block that has no end
once
env TLS_BLOCK=SSL_PROTOCOL=TLSv1.2@
S: 220 *
C: STARTTLS
S: 220 *
EOF
STATUS: 1
LOG: qmail-smtpd[*]: TLS failed [192.0.2.7]: no handshake

== no block: the handshake failed
once
env TLS_BLOCK=end
S: 220 *
C: STARTTLS
S: 220 *
EOF
STATUS: 1
LOG: qmail-smtpd[*]: TLS failed [192.0.2.7]: no handshake

== a block too large
once
env TLS_BLOCK=x600000:y
S: 220 *
C: STARTTLS
S: 220 *
EOF
STATUS: 1
LOG: qmail-smtpd[*]: TLS failed [192.0.2.7]: too many variables

== a TLS process that hangs
once
control timeoutsmtpd 1
env TLS_BLOCK=hang
S: 220 *
C: STARTTLS
S: 220 *
EOF
STATUS: 1
LOG: qmail-smtpd[*]: TLS failed [192.0.2.7]: timeout

== a client that leaves without TLS
S: 220 *
C: QUIT
S: 221 *
LOG: tls: declined
END
} | sed "s|@work@|$work|" >"$work/offered.txt"
dialogues "$work/offered.txt" -- ucspi-plain smtpd
dialogues -b "$work/offered.txt" -- ucspi-plain smtpd

{
	hides 'nobody does TLS' "$absent" X=1
	hides 'DENY_TLS=1 and nobody does TLS' "$denied" DENY_TLS=1
	refuses 'FORCE_TLS and nobody does TLS' FORCE_TLS=1
	hides 'descriptors 0 and 1' "$absent" SSLCTLFD=0 SSLREADFD=1 SSLWRITEFD=1
	hides 'descriptors that are not open' "$absent" SSLCTLFD=77 SSLREADFD=78 SSLWRITEFD=79
	hides 'no numbers' "$absent" SSLCTLFD=x SSLREADFD= SSLWRITEFD=99999999999
} >"$work/absent.txt"
dialogues "$work/absent.txt"
{
	hides 'all three are one descriptor' "$absent" SSLCTLFD=9 SSLREADFD=9 SSLWRITEFD=9
	hides 'one is missing' "$absent" SSLCTLFD=8 SSLREADFD=9
} >"$work/odd.txt"
dialogues "$work/odd.txt" -- sh -c 'exec 8</dev/null 9</dev/null; exec smtpd'

# --- ucspi-tls is pulled in
mkdir "$work/bin"
cat >"$work/bin/ucspi-tls" <<'END'
#!/bin/sh
if [ "$1" = -s ]; then
	echo "ucspi-tls: option -s, CCAFILE ${CCAFILE-unset}" >&2
	shift
fi
echo "ucspi-tls: $CERTFILE ${KEYFILE-unset} ${CERTCHAINFILE-unset} ${CIPHERS-unset}" \
	"${TLS_SERVER_CERT-unset} $*" >&2
[ -z "${NO_TLS-}" ] || exec "$@"
exec ucspi-plain "$@"
END
chmod 755 "$work/bin/ucspi-tls"
: >"$work/cert"
{
	echo "env PATH=$work/bin:$PATH"
	echo "env TLS_SERVER_CERT=$work/cert"
	offers 'TLS_SERVER_CERT' KEYFILE=x CERTCHAINFILE=x CERTFILE=x
	echo "LOG: ucspi-tls: $work/cert unset unset unset  smtpd --"
	offers 'SSLCERT, which qmail-ldap has for it' TLS_SERVER_CERT SSLCERT="$work/cert" KEYFILE=x
	echo "LOG: ucspi-tls: $work/cert unset unset unset  smtpd --"
	offers 'CERTFILE, and its key' TLS_SERVER_CERT CERTFILE="$work/cert" KEYFILE=x CERTCHAINFILE=y
	echo "LOG: ucspi-tls: $work/cert x y unset  smtpd --"
	offers 'TLS_SERVER_CERT wins over both' SSLCERT=/nonexistent CERTFILE=/nonexistent
	echo "LOG: ucspi-tls: $work/cert unset unset unset  smtpd --"
	offers 'control/servercert.pem' TLS_SERVER_CERT KEYFILE=x
	printf '%s\n' 'control servercert.pem x'
	echo 'LOG: ucspi-tls: */control/servercert.pem unset unset unset  smtpd --'
	hides 'control/servercert.pem, and TLS_SERVER_CERT is empty' "$absent" TLS_SERVER_CERT=
	printf '%s\n' 'control servercert.pem x'
	hides 'nor is CERTFILE looked at then' "$absent" TLS_SERVER_CERT= CERTFILE="$work/cert"
	hides 'control/servercert.pem, and no descriptors come' "$absent" TLS_SERVER_CERT NO_TLS=1
	printf '%s\n' 'control servercert.pem x'
	offers 'control/tlsserverciphers' X=1
	printf '%s\n' 'control tlsserverciphers HIGH:!SHA1'
	echo 'LOG: ucspi-tls: * HIGH:!SHA1 *'
	offers 'TLSCIPHERS wins over it' TLSCIPHERS=AES
	printf '%s\n' 'control tlsserverciphers HIGH'
	echo 'LOG: ucspi-tls: * AES *'
	offers 'control/clientca.pem' X=1
	printf '%s\n' 'control clientca.pem x'
	echo 'LOG: ucspi-tls: option -s, CCAFILE /*/control/clientca.pem'
	offers 'CCAFILE wins over it' CCAFILE=/some/ca
	printf '%s\n' 'control clientca.pem x'
	echo 'LOG: ucspi-tls: option -s, CCAFILE /some/ca'
	offers 'TLSCIPHERS' TLSCIPHERS=HIGH
	echo "LOG: ucspi-tls: * HIGH  smtpd --"
	offers 'GREETDELAY too' GREETDELAY=1
	offers 'SMTPD_GREETDELAY, by another name' SMTPD_GREETDELAY=1
	offers 'a file of the home, when a tlsd is there' TLS_SERVER_CERT=control/a.pem TLSD_FD=0
	echo 'LOG: ucspi-tls: /*/control/a.pem *'
	offers 'the same, when it has a socket' TLS_SERVER_CERT=control/a.pem \
		TLSD_SOCKET=/some/socket
	echo 'LOG: ucspi-tls: /*/control/a.pem *'
	hides 'TLS_SERVER_CERT, and DENY_TLS' "$denied" DENY_TLS=1
	hides 'TLS_SERVER_CERT, and SSL' "$secured" SSL=1
	hides 'TLS_SERVER_CERT is empty' "$absent" TLS_SERVER_CERT=
	hides 'the certificate is not there' "$denied" TLS_SERVER_CERT=/nonexistent/cert
	echo 'LOG: qmail-smtpd[*]: unable to read certificate /nonexistent/cert: *'
	refuses 'the same with FORCE_TLS' TLS_SERVER_CERT=/nonexistent/cert FORCE_TLS=1
	hides 'a ucspi-tls that gives no descriptors is asked once' "$absent" NO_TLS=1
} >"$work/pulled.txt"
dialogues "$work/pulled.txt" -- smtpd --
mkdir "$work/alone"
cp "$bin/smtpd" "$work/alone/smtpd"
{
	hides 'ucspi-tls is not there' "$denied" "TLS_SERVER_CERT=$work/cert" PATH=/nonexistent
	echo 'LOG: qmail-smtpd[*]: unable to run ucspi-tls: *'
} >"$work/missing.txt"
dialogues "$work/missing.txt" -- "$work/alone/smtpd"
cp "$work/bin/ucspi-tls" "$work/alone/"
offers 'ucspi-tls is found beside smtpd' "TLS_SERVER_CERT=$work/cert" \
	PATH="$tests:/usr/bin:/bin" >"$work/beside.txt"
dialogues "$work/beside.txt" -- "$work/alone/smtpd"

# --- real TLS
mkdir "$work/control"
echo mx.example.org >"$work/control/me"
echo example.org >"$work/control/rcpthosts"
export CONTROLDIR="$work/control" QMAILQUEUE="$tests/queue-stub" QUEUE_DIR="$work/messages"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=test.example \
	-days 2 -keyout "$work/key" -out "$work/crt" 2>/dev/null
cat "$work/key" "$work/crt" >"$work/both"

cat >"$work/client" <<'END'
import smtplib
import ssl
import sys

port, words = int(sys.argv[1]), sys.argv[2:]
server = smtplib.SMTP("127.0.0.1", port, timeout=30)
server.ehlo("in.the.clear")
print("offers", "starttls" in server.esmtp_features)
if "injected" in words:
    server.sock.sendall(b"STARTTLS\r\nRSET\r\nMAIL FROM:<evil@example.net>\r\n")
    print(server.getreply()[0])
    try:
        ssl._create_unverified_context().wrap_socket(server.sock)
        print("TLS")
    except (ssl.SSLError, OSError):
        print("no TLS")
    sys.exit()
if "old" in words:
    context = ssl._create_unverified_context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
    try:
        server.starttls(context=context)
        print("TLS")
    except (ssl.SSLError, OSError):
        print("no TLS")
    sys.exit()
if "garbage" in words:
    server.docmd("STARTTLS")
    try:
        server.sock.sendall(b"no TLS at all\r\n" * 100)
        while server.sock.recv(1000):
            pass
    except OSError:
        pass
    print("end")
    sys.exit()
if "leaves" in words:
    server.docmd("STARTTLS")
    server.sock.close()
    sys.exit()
print("starttls", server.starttls(context=ssl._create_unverified_context())[0])
server.ehlo("inside.example")
print("offers", "starttls" in server.esmtp_features)
message = "Subject: x\r\n\r\n" + ("x" * 70 + "\r\n") * (40000 if "large" in words else 3)
print("refused", server.sendmail("a@example.net", "u@example.org", message))
print("quit", server.quit()[0])
END

# session WORD…: one client of the chain in $chain
session() {
	rm -rf "$work/messages"
	mkdir "$work/messages"
	: >"$work/log"
	# shellcheck disable=SC2086 # a list of words
	start_tcpserver "$work/log" -- $chain
	out=$(python3 -W ignore "$work/client" "$port" "$@" 2>&1)
	wait_for_line "$work/log" 'tcpserver: end ' || out="$out; no end"
	stop "$server"
	log=$(cat "$work/log")
}
good='offers True
starttls 220
offers False
refused {}
quit 221'
export SMTP_PROTOCOL_WORDS=1
no_handshake() {
	like "$log" 'TLS failed \[127.0.0.1\]: no handshake' "$1"
	like "$log" 'tcpserver: end [0-9]+ status 256' 'with an exit code'
}
# The stage in front of smtpd decides what becomes of what is behind STARTTLS.
try_chain() {
	session
	is "$out" "$good" "$chain: a message"
	like "$(cat "$work/messages/1/message")" '^  by server.example with ESMTPS[ ;]' 'its trace'
	session large
	is "$out" "$good" 'a message of 3 MB'
	is "$(sed 1,2d "$work/messages/1/message" | wc -c)" $((12 + 40000 * 71)) 'is whole'
	session injected
	like "$out" "^$1\$" 'commands behind STARTTLS'
	is "$(grep -ac 'TLS failed' "$work/log")" "$2" 'are not obeyed'
	session garbage
	like "$out" '^end$' '43: no TLS where it should begin: the end'
	no_handshake 'and why'
	session leaves
	no_handshake '43: a client that goes in the middle'
	session old
	like "$out" '^no TLS$' '43: a client of TLS 1.0'
	no_handshake 'and why'
	like "$log" '(unsupported protocol|no suitable signature algorithm)' 'which is too old'
}
chain="ucspi-tls-server $work/both smtpd"
try_chain 554 1
chain="ucspi-tls-server $work/both recordio smtpd"
try_chain TLS 0
unlike "$log" 'evil' 'what was behind STARTTLS goes nowhere'
like "$(tr -d '\015' <"$work/log")" ' > 220 ready for tls $' 'recordio has recorded'

name='with our own ucspi-tls and tlsd'
if is_here ucspi-tls "$name" && is_here tlsd "$name"; then
	export CERTFILE="$work/both"
	chain='ucspi-tls smtpd'
	try_chain 554 1
	session
	like "$(cat "$work/messages/1/message")" \
		' with ESMTPS \(TLSv1\.3 TLS_[A-Z0-9_]+\); ' 'protocol and cipher are in the trace'
	SMTP_PROTOCOL_WORDS=0
	session
	like "$(cat "$work/messages/1/message")" \
		' with TLS_[A-Z0-9_]+ encrypted SMTP; ' 'the cipher alone, as usual'
	SMTP_PROTOCOL_WORDS=1
	chain='ucspi-tls recordio smtpd'
	try_chain TLS 0
	unset CERTFILE
	export TLS_SERVER_CERT="$work/both"
	chain=smtpd
	try_chain 554 1
	# recordio -a keeps back what is behind STARTTLS until the reply has come;
	# then it is no TLS.
	chain='recordio -a greetdelay smtpd'
	try_chain 220 1
fi
done_testing
