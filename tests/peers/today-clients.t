#!/bin/sh
# What clients of today send: Thunderbird's, Outlook's and Exchange's ways of
# saying it, messages in chunks by Exim, addresses beyond ASCII, and mail by XCLIENT.
# Each message is compared byte for byte, and the queue program must have been told
# who sent it.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2034 # variables for the files that are read in
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../tls.sh"
. "$(dirname "$0")/chain.sh"
need swaks curl python3 openssl

prepare_chain
note_environment
make_ca
make_certificate mx mx.example.org
hard_message "$work/hard"
perl -pe 'chomp if eof' "$work/hard" >"$work/hard.no-end"
echo "tim@example.org $(echo secret | auth-cdb -m sha512)" \
	>"$work/control/authusers"
mkauth -n -q "$work" -p /dev/null -s /dev/null -c "$work/control/auth.cdb"
export AUTH_CDB="$work/control/auth.cdb" CERTFILE="$work/mx" UCSPITLS='' LOGLEVEL=4
cat >"$work/rules" <<'END'
127.0.0.1:allow
127.0.0.2:allow,XCLIENT="1"
:deny
END
tcprules "$work/rules.cdb" "$work/rules.tmp" <"$work/rules"
start_sslserver "$work/log" -n -x "$work/rules.cdb" -- qmail-smtpd

base64_of() {
	# shellcheck disable=SC2059 # escapes are the point
	printf "$1" | base64 -w 0
}
# talk NAME: a client whose words are standard input
talk() {
	said=$(smtp-talk -c "$work/ca.pem" 127.0.0.1 "$port" 2>&1)
	is "$?$(printf '%s\n' "$said" | grep -A9 '^wanted: \|^the server has')" 0 "$1"
}
# bytes RECIPIENT BYTES NAME: the message is just these, with escapes of printf
bytes() {
	# shellcheck disable=SC2059 # escapes are the point
	printf "$2" >"$work/wanted"
	arrived "$1" "$work/wanted" "$3"
}

# ---- Thunderbird ----

# It names the address that it has, begins TLS, says AUTH PLAIN and all in one line,
# tells the size and waits for each reply.
talk 'Thunderbird: PLAIN within TLS' <<TALK
S: ^220 mx\.example\.org ESMTP$
C: EHLO [IPv6:2001:db8::25]
S: 250-STARTTLS\n
C: STARTTLS
S: ^220 ready for tls$
TLS
C: EHLO [IPv6:2001:db8::25]
S: 250-AUTH LOGIN PLAIN\n250-AUTH=LOGIN PLAIN\n
C: AUTH PLAIN $(base64_of '\0tim@example.org\0secret')
S: ^235 ok, go ahead \(#2\.0\.0\)$
C: MAIL FROM:<tim@example.org> BODY=8BITMIME SIZE=45
S: ^250 ok$
C: RCPT TO:<thunderbird@elsewhere.example>
S: ^250 ok$
C: DATA
S: ^354 go ahead$
R: Subject: =?UTF-8?Q?=C3=A4?=\r\n\r\nGr\xc3\xbc\xc3\x9fe\r\n..\r\n.\r\n
S: ^250 ok [0-9]+ qp [0-9]+$
C: QUIT
S: ^221 mx\.example\.org$
EOF
TALK
bytes thunderbird@elsewhere.example \
	'Subject: =?UTF-8?Q?=C3=A4?=\n\nGr\303\274\303\237e\n.\n' 'byte for byte'
like "$(received_from thunderbird@elsewhere.example)" \
	'^Received: from unknown \(HELO \[IPv6:2001:db8::25\]\) \(tim@example\.org@127\.0\.0\.1\) by mx\.example with TLS_[A-Z0-9_]+ encrypted SMTP$' \
	'the brackets of its name stay'
is "$(told_with thunderbird@elsewhere.example)" \
	'RELAYCLIENT= SMTPAUTHMETHOD=plain SMTPAUTHUSER=tim@example.org SMTP_AUTH_USER=tim@example.org TCPREMOTEINFO=tim@example.org TCPREMOTEIP=127.0.0.1 ' \
	'the queue program is told who it is'

# A version of it, and others, that say AUTH PLAIN alone; and LOGIN with the login
# at once, as other libraries do. A wrong password is followed by another mechanism.
talk 'PLAIN in two steps, LOGIN with an initial response, and two messages' <<TALK
S: ^220
C: EHLO [192.0.2.4]
S: 250-STARTTLS\n
C: STARTTLS
S: ^220
TLS
C: EHLO [192.0.2.4]
S: 250-AUTH
C: AUTH LOGIN $(base64_of tim@example.org)
S: ^334 UGFzc3dvcmQ6$
C: $(base64_of Secret)
S: ^535 authorization failed \(#5\.7\.0\)$
C: AUTH PLAIN
S: ^334 $
C: $(base64_of '\0tim@example.org\0secret')
S: ^235
C: MAIL FROM:<tim@example.org> SIZE=9
C: RCPT TO:<two-1@elsewhere.example>
C: RCPT TO:<two-2@example.org>
C: DATA
S: ^250 ok$
S: ^250 ok$
S: ^250 ok$
S: ^354
C: one
C: .
C: MAIL FROM:<>
C: RCPT TO:<two-3@elsewhere.example>
C: DATA
S: ^250 ok [0-9]+ qp
S: ^250 ok$
S: ^250 ok$
S: ^354
C: two
C: .
C: QUIT
S: ^250 ok [0-9]+ qp
S: ^221
TALK
bytes two-1@elsewhere.example 'one\n' 'the first message'
bytes two-2@example.org 'one\n' 'its second recipient'
bytes two-3@elsewhere.example 'two\n' 'the second message'

# ---- Outlook ----

# Old ones look for the line with AUTH=, put a blank behind the colon, and take the
# steps of LOGIN one by one.
talk 'Outlook: LOGIN step by step' <<TALK
S: ^220
C: EHLO DESKTOP1ABC
S: 250-STARTTLS\n
C: STARTTLS
S: ^220
TLS
C: EHLO DESKTOP1ABC
S: \n250-AUTH=LOGIN PLAIN\n
C: AUTH LOGIN
S: ^334 VXNlcm5hbWU6$
C: $(base64_of tim@example.org)
S: ^334 UGFzc3dvcmQ6$
C: $(base64_of secret)
S: ^235
C: RSET
S: ^250 flushed$
C: MAIL FROM: <tim@example.org>
S: ^250 ok$
C: RCPT TO: <outlook@elsewhere.example>
S: ^250 ok$
C: DATA
S: ^354
R: From: "Tim" <tim@example.org>\r\n\r\nHello\r\n\r\n.\r\n
S: ^250 ok [0-9]+ qp
C: QUIT
S: ^221
TALK
bytes outlook@elsewhere.example 'From: "Tim" <tim@example.org>\n\nHello\n\n' \
	'byte for byte'
like "$(told_with outlook@elsewhere.example)" ' SMTPAUTHMETHOD=login ' \
	'by LOGIN'
talk 'without TLS nobody is asked for a password' <<TALK
S: ^220
C: EHLO DESKTOP1ABC
S: \A((?!AUTH)[^$])*\Z
C: AUTH LOGIN
S: ^504 auth type not available \(#5\.5\.1\)$
C: QUIT
S: ^221
TALK

# ---- Exchange ----

# It says all up to the last chunk at once, within TLS where that is offered, and
# its text may have an LF by itself, anywhere.
talk 'Exchange: chunks at once' <<TALK
S: ^220
C: EHLO mail-am6.outbound.example
S: 250-STARTTLS\n(.*\n)*250-CHUNKING\n
C: STARTTLS
S: ^220
TLS
C: EHLO mail-am6.outbound.example
S: 250-CHUNKING\n
C: MAIL FROM:<a@client.example> SIZE=30000 BODY=8BITMIME
C: RCPT TO:<exchange@example.org>
C: RCPT TO:<exchange-2@example.org>
C: RCPT TO:<elsewhere@elsewhere.example>
S: ^250 ok$
S: ^250 ok$
S: ^250 ok$
S: ^553 sorry, that domain isn't
B: Subject: bare\r\n\r\na\nb\r
B: \n.\r\n.\nQUI
R: BDAT 0\r\n
L: T\r\n\xe4\0\r\r\n..\n
C: QUIT
S: ^250 ok$
S: ^250 ok$
S: ^250 ok$
S: ^250 ok [0-9]+ qp [0-9]+$
S: ^221
TALK
bare='Subject: bare\n\na\nb\n.\n.\nQUIT\n\344\0\r\n..\n'
bytes exchange@example.org "$bare" 'byte for byte'
bytes exchange-2@example.org "$bare" 'for both of them'
is "$(told_with exchange@example.org)" 'TCPREMOTEIP=127.0.0.1 ' \
	'the queue program is told of nobody'

talk 'Exchange: an empty last chunk, and chunks that come to nothing' <<TALK
S: ^220
C: EHLO mail-am6.outbound.example
S: ^250
C: MAIL FROM:<> SIZE=10
C: RCPT TO:<last@example.org>
B: Subject: l\r\n\r\n
R: BDAT 0 LAST\r\n
S: ^250 ok$
S: ^250 ok$
S: ^250 ok$
S: ^250 ok [0-9]+ qp
C: MAIL FROM:<a@client.example>
C: RCPT TO:<u@elsewhere.example>
L: MAIL FROM:<>\r\nRC\n
S: ^250 ok$
S: ^553
S: ^503
C: MAIL FROM:<a@client.example>
C: RCPT TO:<reset@example.org>
B: no no\n
C: RSET
S: ^250 ok$
S: ^250 ok$
S: ^250 ok$
S: ^250 flushed$
C: QUIT
S: ^221
TALK
bytes last@example.org 'Subject: l\n\n' 'byte for byte'
is "$(delivered | wc -l)" 8 'and nothing else has come'
rm -f "$work/Maildir/new"/*

# ---- addresses beyond ASCII ----

for name in curl smtplib; do
	printf 'Subject: \303\274\n\nan %s\n' $name >"$work/text.$name"
done
LC_ALL=C.UTF-8 curl -sS --crlf -T "$work/text.curl" \
	--mail-from "$(printf 'j\303\266rg@client.example')" \
	--mail-rcpt "$(printf '\303\274-curl@example.org')" \
	"smtp://127.0.0.1:$port/client.example" >"$work/said" 2>&1
is "$?$(cat "$work/said")" 0 'curl has addresses beyond ASCII'
python3 - "$port" "$work/text.smtplib" >"$work/said" 2>&1 <<'PYTHON'
import email, email.policy, smtplib, sys
text = open(sys.argv[2], 'rb').read()
with smtplib.SMTP('127.0.0.1', int(sys.argv[1]), 'client.example') as smtp:
    message = email.message_from_bytes(text, policy=email.policy.SMTPUTF8)
    smtp.send_message(message, 'j\u00f6rg@client.example', ['\u00fc-smtplib@example.org'])
PYTHON
is "$?$(cat "$work/said")" 0 'smtplib too'
for name in curl smtplib; do
	address=$(printf '\303\274-%s@example.org' $name)
	arrived "$address" "$work/text.$name" "$name: byte for byte"
	like "$(delivered "$address" | xargs cat)" \
		"^Return-Path: <$(printf 'j\303\266rg')@client\.example>\$" \
		"$name: and so is the sender"
	is "$(told_with "$address")" 'SMTPUTF8=1 TCPREMOTEIP=127.0.0.1 ' \
		"$name: the queue program is told"
done

# ---- XCLIENT ----

# A proxy in front of us: it is 127.0.0.2, whose rule says so.
by_proxy() {
	swaks --server 127.0.0.1 --port "$port" --helo proxy.example "$@" \
		--from a@client.example --data "@$work/hard.no-end"
}
by_proxy --local-interface 127.0.0.2 --to proxied@example.org \
	--xclient-addr 192.0.2.77 --xclient-name host.example.net \
	--xclient-helo client.example.net >"$work/said" 2>&1
is $? 0 'swaks speaks for another client'
arrived proxied@example.org "$work/hard" 'byte for byte'
is "$(told_with proxied@example.org)" \
	'TCPREMOTEHOST=host.example.net TCPREMOTEIP=192.0.2.77 ' \
	'the queue program is told of that one'
is "$(received_from proxied@example.org)" \
	'Received: from host.example.net (HELO proxy.example) (192.0.2.77) by mx.example with SMTP' \
	'and so is the field Received'
by_proxy --local-interface 127.0.0.2 --to proxied@elsewhere.example \
	--xclient-addr IPV6:2001:db8::7 --xclient-login tim@example.org \
	>"$work/said" 2>&1
is $? 0 'and for one that has logged in to it'
arrived proxied@elsewhere.example "$work/hard" 'which may relay'
is "$(told_with proxied@elsewhere.example)" \
	'RELAYCLIENT= SMTPAUTHMETHOD=xclient SMTPAUTHUSER=tim@example.org SMTP_AUTH_USER=tim@example.org TCPREMOTEINFO=tim@example.org TCPREMOTEIP=2001:db8::7 ' \
	'the queue program is told'
by_proxy --to stranger@elsewhere.example --xclient-login tim@example.org \
	>"$work/said" 2>&1
is "$?" 33 'nobody else may: swaks finds no XCLIENT'
is "$(delivered stranger@elsewhere.example)" '' 'and nothing has come of it'
rm -f "$work/Maildir/new"/*

# ---- Exim ----

# It sends in chunks to whoever takes them. Its user must exist, and be who runs it:
# so it is in a namespace of its own.
exim=${EXIM:-$top/build/deps/peers/exim4-daemon-light}
cat >"$work/exim" <<END
#!/bin/sh
unshare -U -m --map-user=1 --map-group=1 --keep-caps sh -c '
	mount --bind "$work/passwd" /etc/passwd &&
	mount --bind "$work/group" /etc/group &&
	LD_LIBRARY_PATH="$exim/usr/lib/exim4-daemon-light" exec setpriv \\
		--ambient-caps=-all --inh-caps=-all "$exim/usr/sbin/exim4" \\
		-C "$work/exim.conf" "\$@"' sh "\$@"
END
chmod 755 "$work/exim"
echo 'Debian-exim:x:1:1::/:/bin/sh' >"$work/passwd"
echo 'Debian-exim:x:1:' >"$work/group"
mkdir "$work/exim.spool"
cat >"$work/exim.conf" <<END
primary_hostname = client.example
spool_directory = $work/exim.spool
log_file_path = $work/exim.%s
keep_environment = ^LD_LIBRARY_PATH
deliver_drop_privilege
smtputf8_advertise_hosts = *
local_from_check = false
begin routers
all:
  driver = manualroute
  route_list = * 127.0.0.1 byname
  self = send
  transport = \${if eq{\$domain}{elsewhere.example}{submission}{mx}}
begin transports
mx:
  driver = smtp
  port = $port
  allow_localhost
  hosts_avoid_tls = *
  message_linelength_limit = 200000
submission:
  driver = smtp
  port = $port
  allow_localhost
  hosts_require_tls = *
  hosts_require_auth = *
  tls_verify_certificates = $work/ca.pem
  tls_verify_cert_hostnames =
  tls_verify_hosts = *
  message_linelength_limit = 200000
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  client_send = ^tim@example.org^secret
END
# exim_sends FILE RECIPIENT…
exim_sends() {
	exim_file=$1
	shift
	"$work/exim" -odf -oi -f a@client.example "$@" <"$exim_file" \
		>"$work/said" 2>&1
	is "$?$(cat "$work/said")" 0 "Exim takes a message for $1"
	like "$(grep "=> $1 " "$work/exim.main")" " K .*C=\"250 ok [0-9]+ qp " \
		'and has sent it in chunks'
}

name="Exim, which sends in chunks"
if [ ! -x "$exim/usr/sbin/exim4" ] && [ "${CI:-}" != true ]; then
	skip 'Exim is not unpacked' "$name"
elif ! unshare -U -m --map-user=1 --keep-caps mount --bind "$work/passwd" \
	/etc/passwd 2>/dev/null; then
	skip 'no namespaces here' "$name"
else
	exim_sends "$work/hard" exim@example.org exim-2@example.org
	arrived exim@example.org "$work/hard" 'byte for byte'
	arrived exim-2@example.org "$work/hard" 'and for the other recipient'
	like "$(received_from exim@example.org)" 'by mx\.example with SMTP$' \
		'it is in the clear'

	# So large that there is more than one chunk.
	{
		sed '/^$/q' "$work/hard"
		perl -e 'print map { ".line $_\n..\n" } 1 .. 200000'
	} >"$work/large"
	chunks=$(grep -aic ': command: bdat' "$work/log")
	exim_sends "$work/large" large@elsewhere.example
	chunks=$(($(grep -aic ': command: bdat' "$work/log") - chunks))
	if [ $chunks -gt 1 ]; then ok 'in more than one'
	else not_ok 'in more than one' "$chunks"; fi
	arrived large@elsewhere.example "$work/large" 'a large one, byte for byte'
	like "$(received_from large@elsewhere.example)" \
		'\(tim@example\.org@127\.0\.0\.1\) by mx\.example with TLS_[A-Z0-9_]+ encrypted SMTP$' \
		'within TLS, with a login'
	is "$(delivered | wc -l)" 3 'and nothing has come twice'
fi
stop "$server"
done_testing
