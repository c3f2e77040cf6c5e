#!/bin/sh
# The service of the guide for qmail-ldap: tcpsvd with a table made by ipsvd-cdb, under
# chpst, each variable set for an address of its own, and it does what it says; names
# that begin with a digit among them, which no shell can export. The lists of RBL and
# the senders' domains are asked over real DNS.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2034,SC2154 # for and from the files read in
. "$(dirname "$0")/../lib.sh"
. "$tests/dns_lists.sh"
. "$(dirname "$0")/chain.sh"
need tcpsvd ipsvd-cdb chpst python3 cdb

write_lists() {
	lists=
	list bad.test ip4set <<-'END'
		:127.0.0.2:Listed, see http://bad.test/?$
		127.0.0.2
		127.0.40.0/24
	END
}
write_senders() {
	zone sender.test <<-'END'
		mx     MX 10 mail
		mail   A 192.0.2.1
	END
}
start_rbldnsd
start_dns write_senders
export DNSCACHEIP="127.0.0.1:$dns_port,127.0.0.1:$lists_port"
prepare_chain
note_environment NOPBS LOGLEVEL
echo 'bad.test reject any Listed. See http://bad.test/' >"$work/control/rbllist"
echo "tim $(echo secret | auth-cdb -m sha512)" >"$work/control/authusers"
mkauth -n -q "$work" -p /dev/null -s /dev/null -c "$work/control/auth.cdb"
printf '%s\n' 'u@example.org ' '' >"$work/addresses"
cdb -c -m "$work/control/validrcptto.cdb" "$work/addresses"
echo example.org >"$work/control/locals"
printf '%s\n' example.org example.net >"$work/control/rcpthosts"
# A table that nobody can read, not even root.
cp -r "$work/control" "$work/no-table"
rm "$work/no-table/validrcptto.cdb"
mkdir "$work/no-table/validrcptto.cdb"
mkdir "$work/service" "$work/service/instruct" "$work/service/env"
cd "$work/service" || exit

# instruct ADDRESS VARIABLE…: the rules of one address
instruct() {
	instruct_address=$1
	shift
	printf '+%s\n' "$@" >"instruct/$instruct_address"
}
logins="AUTH_CDB=$work/control/auth.cdb ALLOW_INSECURE_AUTH=1 SMTPD_AUTH_DELAY=0"
: >instruct/0
# shellcheck disable=SC2086 # words
instruct 127.0.41.1 AUTHPREPEND=from- $logins
# shellcheck disable=SC2086 # words
instruct 127.0.41.2 AUTHREQUIRED= $logins
instruct 127.0.41.3 BLOCKRELAYPROBE=
instruct 127.0.41.4 RCPTCHECK= "CONTROLDIR=$work/no-table" LDAPSOFTOK=
instruct 127.0.41.5 LOGLEVEL=2
instruct 127.0.41.6 MAXRCPTCOUNT=2
instruct 127.0.41.7 NOBOUNCE=
instruct 127.0.41.8 NOPBS=
instruct 127.0.41.9 "QMAILQUEUE=$work/nowhere" RELAYCLIENT=
instruct 127.0.40.10 RBL=
instruct 127.0.40.11 RBL= RBLONLYHEADER=
instruct 127.0.41.12 RCPTCHECK= BADRCPTDELAY=1
instruct 127.0.41.13 REJECTEXEC=
instruct 127.0.41.14 RETURNMXCHECK=
instruct 127.0.41.15 SANITYCHECK=
instruct 127.0.41.16 SENDERCHECK=
instruct 127.0.41.17 SENDERCHECK=LOOSE
instruct 127.0.41.18 SENDERCHECK=STRICT
# shellcheck disable=SC2086 # words
instruct 127.0.41.19 SMTPAUTH= $logins
# shellcheck disable=SC2086 # words
instruct 127.0.41.20 SMTPAUTH=TLSREQUIRED $logins
instruct 127.0.41.21 '550GREETING=Go away. (#5.7.1)'
instruct 127.0.41.22 NOBOUNCE= SMTP550DISCONNECT=
instruct 127.0.41.23 TARPITCOUNT=2 TARPITDELAY=1
instruct 127.0.41.24 RELAYCLIENT=
instruct 127.0.41.25 RCPTCHECK= "CONTROLDIR=$work/no-table"
instruct 127.0.41.26 RCPTCHECK= "VALIDRCPTTO_CDB=$work/no-table"

# The guide's run script, which reads what the administrator has put into env/.
# Debian's tcpsvd needs the system's libc, so 3 MB are too few for it.
port=$(free_port)
echo 20 >env/MAXSMTPD
echo 127.0.0.2 >env/IP
echo "$port" >env/PORT
echo 50000000 >env/SOFTLIMIT
user=
if [ "$(id -u)" -eq 0 ]; then
	user='-u nobody'
	chmod 711 "$work"
	chmod -R a+rX "$work/control" "$work/no-table"
	chmod -R a+rwX "$work/Maildir"
fi
limit="chpst -m \${SOFTLIMIT:-3000000}"
[ -z "${SANITIZE:-}" ] || limit=
cat >run <<END
#!/bin/sh
[ -f ./env/MAXSMTPD ] && MAXSMTPD=\`head -1 ./env/MAXSMTPD\`
[ -f ./env/IP ] && IP=\`head -1 ./env/IP\`
[ -f ./env/PORT ] && PORT=\`head -1 ./env/PORT\`
[ -f ./env/SOFTLIMIT ] && SOFTLIMIT=\`head -1 ./env/SOFTLIMIT\`
ME=\`head -1 "$work/control/me"\`
if [ -z "\`head -1 "$work/control/rcpthosts"\`" ]; then
    echo "Refusing to run as open relay"
    exit 1
fi
exec $limit \\
    tcpsvd -v -l "\${ME:-0}" -x cdb -c "\${MAXSMTPD:-20}" \\
    $user \${IP:-0} \${PORT:-25} "$bin/qmail-smtpd" 2>&1
END
chmod 755 run
ipsvd-cdb cdb cdb.tmp instruct
is $? 0 'ipsvd-cdb makes the table'
chmod 644 cdb
./run >"$work/log" &
server=$!
started="$started $server"
wait_for_line "$work/log" 'listening on 127\.0\.0\.2:' || {
	not_ok 'it starts'
	done_testing
}

[ -z "$limit" ] || like "$(cat "/proc/$server/limits")" \
	'^Max address space  *50000000 ' 'SOFTLIMIT'

base64_of() {
	# shellcheck disable=SC2059 # escapes are the point
	printf "$1" | base64 -w 0
}
# from ADDRESS NAME: a client; its words are standard input
from() {
	lines_before=$(wc -l <"$work/log")
	from_at=$(date +%s%N)
	heard=$(smtp-talk -i "$1" 127.0.0.2 "$port" 2>&1)
	is "$?$(printf '%s\n' "$heard" |
		grep -A9 '^wanted: \|^the server has\|Error')" 0 "$2"
	ms=$((($(date +%s%N) - from_at) / 1000000))
	wait_until ended_since "$lines_before"
	logged=$(tail -n "+$((lines_before + 1))" "$work/log")
}
ended_since() {
	tail -n "+$(($1 + 1))" "$work/log" | grep -q '^tcpsvd: info: end '
}
sends='S: ^250 ok$
S: ^250 ok$
S: ^354
C: text
C: .
C: QUIT
S: ^250 ok [0-9]+ qp [0-9]+$
S: ^221'

from 127.0.41.99 'no rule: nothing of all that' <<TALK
S: ^220 mx\.example\.org ESMTP$
C: EHLO client
S: ^250-mx\.example\.org\n250-SIZE 0\n(?![^Z]*AUTH)
C: MAIL FROM:<@>
C: RCPT TO:<a%b@example.org>
C: DATA
$sends
TALK
is "$(told_with 'a%b@example.org')" 'TCPREMOTEIP=127.0.41.99 ' \
	'the queue program is told of no more'
like "$(cat "$work/log")" '^tcpsvd: info: status 0/20$' 'the log is that of tcpsvd'

from 127.0.41.1 'AUTHPREPEND' <<TALK
S: ^220
C: AUTH PLAIN $(base64_of '\0tim\0secret')
S: ^235
C: MAIL FROM:<>
C: RCPT TO:<prepended@elsewhere.example>
C: DATA
$sends
TALK
like "$(received_from prepended@elsewhere.example)" '\(from-tim@127\.0\.41\.1\)' \
	'stands before the login in Received'
from 127.0.41.2 'AUTHREQUIRED' <<TALK
S: ^220
C: MAIL FROM:<>
S: ^530 authentication needed$
C: AUTH LOGIN $(base64_of tim)
S: ^334 UGFzc3dvcmQ6$
C: $(base64_of secret)
S: ^235
C: MAIL FROM:<>
S: ^250 ok$
C: QUIT
S: ^221
TALK
from 127.0.41.3 'BLOCKRELAYPROBE' <<'TALK'
S: ^220
C: MAIL FROM:<>
C: RCPT TO:<a%b@example.org>
C: RCPT TO:<a!b@example.org>
C: RCPT TO:<a@b@example.org>
C: RCPT TO:<a@example.org>
C: QUIT
S: ^250 ok$
S: ^553 sorry, we don't relay for \[127\.0\.41\.3\] \(#5\.7\.1\)$
S: ^553 sorry, we don't relay for \[127\.0\.41\.3\] \(#5\.7\.1\)$
S: ^553 sorry, we don't relay for \[127\.0\.41\.3\] \(#5\.7\.1\)$
S: ^250 ok$
S: ^221
TALK
from 127.0.41.5 'LOGLEVEL' <<TALK
S: ^220
C: MAIL FROM:<a@b.example>
C: RCPT TO:<logged@example.org>
C: DATA
$sends
TALK
is "$(printf '%s\n' "$logged" | sed -n '
	s/^qmail-smtpd\[[0-9]*\]: \(message queued:\) [0-9]* qp [0-9]*/\1/p; t
	s/^qmail-smtpd\[[0-9]*\]: //p')" \
	'connection from 127.0.41.5 (unknown) to mx.example.org
mail from: a@b.example
rcpt to: logged@example.org
message queued: size 5 bytes' 'accounts for it'
from 127.0.41.6 'MAXRCPTCOUNT: two of those that may be sent to' <<'TALK'
S: ^220
C: MAIL FROM:<>
C: RCPT TO:<a@elsewhere.example>
C: RCPT TO:<a@example.org>
C: RCPT TO:<b@example.org>
C: RCPT TO:<c@example.org>
C: QUIT
S: ^250 ok$
S: ^553 sorry, that domain
S: ^250 ok$
S: ^250 ok$
S: ^452 sorry, too many recipients \(#4\.5\.3\)$
S: ^221
TALK
from 127.0.41.7 'NOBOUNCE' <<'TALK'
S: ^220
C: MAIL FROM:<>
C: MAIL FROM:<#@[]>
C: MAIL FROM:<a@b.example>
C: QUIT
S: ^554 RFC2821 bounces are administratively denied$
S: ^554 RFC2821 bounces are administratively denied$
S: ^250 ok$
S: ^221
TALK
from 127.0.41.8 'NOPBS, which is for the run script' <<TALK
S: ^220
C: MAIL FROM:<>
C: RCPT TO:<nopbs@example.org>
C: DATA
$sends
TALK
is "$(told_with nopbs@example.org)" 'NOPBS= TCPREMOTEIP=127.0.41.8 ' \
	'goes on to the queue program'
from 127.0.41.9 'QMAILQUEUE' <<'TALK'
S: ^220
C: MAIL FROM:<>
C: RCPT TO:<u@elsewhere.example>
C: DATA
S: ^250 ok$
S: ^250 ok$
S: ^354
C: .
C: QUIT
S: ^451 unable to exec qq \(#4\.3\.0\)$
S: ^221
TALK
from 127.0.40.10 'RBL' <<'TALK'
S: ^220
C: MAIL FROM:<a@b.example>
C: QUIT
S: ^553 sorry, your mailserver \[127\.0\.40\.10\] is rejected by Listed\. See http://bad\.test/$
S: ^221
TALK
from 127.0.40.11 'RBLONLYHEADER' <<TALK
S: ^220
C: MAIL FROM:<a@b.example>
C: RCPT TO:<tagged@example.org>
C: DATA
$sends
TALK
like "$(delivered tagged@example.org | xargs cat)" \
	'^X-RBL: \(bad\.test\) tells us Listed\. See http://bad\.test/$' \
	'adds a field'
from 127.0.41.12 'RCPTCHECK' <<'TALK'
S: ^220
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: RCPT TO:<nobody@example.net>
C: RCPT TO:<nobody@example.org>
C: QUIT
S: ^250 ok$
S: ^250 ok$
S: ^250 ok$
S: ^554 Sorry, no mailbox here by that name\. \(#5\.1\.1\)$
S: ^221
TALK
is_at_least 1000 'BADRCPTDELAY has made it wait'
from 127.0.41.25 'RCPTCHECK, when its table cannot be read' <<'TALK'
S: ^220
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: RCPT TO:<u@example.net>
C: QUIT
S: ^250 ok$
S: ^451 temporary lookup failure, try again later \(#4\.3\.0\)$
S: ^250 ok$
S: ^221
TALK
from 127.0.41.4 'and with LDAPSOFTOK' <<'TALK'
S: ^220
C: MAIL FROM:<>
C: RCPT TO:<anybody@example.org>
C: QUIT
S: ^250 ok$
S: ^250 ok$
S: ^221
TALK
from 127.0.41.26 'one that is named by VALIDRCPTTO_CDB must be there' <<'TALK'
S: ^421 unable to read controls \(#4\.3\.0\)$
EOF
TALK
from 127.0.41.13 'REJECTEXEC' <<'TALK'
S: ^220
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: DATA
S: ^250 ok$
S: ^250 ok$
S: ^354
C: MIME-Version: 1.0
C: Content-Type: application/octet-stream
C: Content-Transfer-Encoding: base64
C:
C: TVqQAAMAAAAEAAAA//8AALgAAAAAAAAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
C: .
S: ^552 we don't accept email with this MIME content \(#5\.3\.4\)$
C: MAIL FROM:<>
C: RCPT TO:<text@example.org>
C: DATA
S: ^250 ok$
S: ^250 ok$
S: ^354
C:
C: text
C: .
S: ^250 ok [0-9]+ qp
C: QUIT
S: ^221
TALK
from 127.0.41.14 'RETURNMXCHECK' <<'TALK'
S: ^220
C: MAIL FROM:<a@nowhere.sender.test>
C: MAIL FROM:<a@down.broken.test>
C: MAIL FROM:<a@mx.sender.test>
C: QUIT
S: ^554 refused mailfrom because return MX does not exist$
S: ^421 DNS temporary failure at return MX check, try again later \(#4\.3\.0\)$
S: ^250 ok$
S: ^221
TALK
from 127.0.41.15 'SANITYCHECK' <<'TALK'
S: ^220
C: MAIL FROM:<a>
C: MAIL FROM:<""@b.example>
C: MAIL FROM:<a@>
C: MAIL FROM:<a@b>
C: MAIL FROM:<>
C: QUIT
S: ^554 mailfrom without @ is administratively denied$
S: ^554 mailfrom without user or domain part is administratively denied$
S: ^554 mailfrom without user or domain part is administratively denied$
S: ^554 mailfrom without \. in domain part is administratively denied$
S: ^250 ok$
S: ^221
TALK
from 127.0.41.16 'SENDERCHECK' <<'TALK'
S: ^220
C: MAIL FROM:<nobody@example.org>
C: MAIL FROM:<a@b.example>
C: RSET
C: MAIL FROM:<u@example.org>
C: QUIT
S: ^554 Sorry, no mailbox here by that name\. \(#5\.1\.1\)$
S: ^250 ok$
S: ^250 flushed$
S: ^250 ok$
S: ^221
TALK
from 127.0.41.17 'SENDERCHECK=LOOSE' <<'TALK'
S: ^220
C: MAIL FROM:<a@b.example>
C: MAIL FROM:<a@example.net>
C: QUIT
S: ^554 refused mailfrom because valid local sender address required$
S: ^250 ok$
S: ^221
TALK
from 127.0.41.18 'SENDERCHECK=STRICT' <<'TALK'
S: ^220
C: MAIL FROM:<a@example.net>
C: MAIL FROM:<u@example.org>
C: QUIT
S: ^554 refused mailfrom because valid local sender address required$
S: ^250 ok$
S: ^221
TALK
from 127.0.41.19 'SMTPAUTH' <<'TALK'
S: ^220
C: EHLO client
S: ^250-mx\.example\.org\n250-AUTH LOGIN PLAIN\n250-AUTH=LOGIN PLAIN\n
C: QUIT
S: ^221
TALK
from 127.0.41.20 'SMTPAUTH=TLSREQUIRED' <<'TALK'
S: ^220
C: EHLO client
S: ^250-mx\.example\.org\n250-SIZE
C: AUTH LOGIN
S: ^538 Encryption required for requested authentication mechanism$
C: QUIT
S: ^221
TALK
from 127.0.41.21 '550GREETING' <<'TALK'
S: ^554 mx\.example\.org Go away\. \(#5\.7\.1\)$
C: HELO client
C: MAIL FROM:<>
C: QUIT
S: ^503 bad sequence of commands \(#5\.5\.1\)$
S: ^503
S: ^221
TALK
from 127.0.41.22 'SMTP550DISCONNECT' <<'TALK'
S: ^220
C: MAIL FROM:<>
S: ^554 RFC2821 bounces are administratively denied$
EOF
TALK
from 127.0.41.23 'TARPITCOUNT' <<'TALK'
S: ^220
C: MAIL FROM:<>
C: RCPT TO:<a@example.org>
C: RCPT TO:<b@example.org>
C: RCPT TO:<c@example.org>
C: NOOP
S: ^250 ok$
S: ^250 ok$
S: ^250 ok$
S: ^250 ok$
S: ^250 ok$
C: QUIT
S: ^221
TALK
is_at_least 2000 'and TARPITDELAY: the second one and the third wait'
from 127.0.41.24 'RELAYCLIENT' <<TALK
S: ^220
C: MAIL FROM:<>
C: RCPT TO:<relayed@elsewhere.example>
C: DATA
$sends
TALK
like "$(told_with relayed@elsewhere.example)" '^RELAYCLIENT= ' \
	'the queue program sees it'
stop "$server"
cd "$top" || exit
done_testing
