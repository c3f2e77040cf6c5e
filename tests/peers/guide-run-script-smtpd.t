#!/bin/sh
# The settings of the guides' run script that are about smtpd: each one is exported
# by the script, comes through tcpserver, rblsmtpd and jgreylist, and does what it
# says. The queue program sees those that are for it.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2034,SC2154 # for and from the files read in
. "$(dirname "$0")/../lib.sh"
. "$tests/dns_lists.sh"
. "$tests/tls.sh"
. "$(dirname "$0")/chain.sh"
need python3 openssl cdb "$bin/rblsmtpd" "$bin/jgreylist"

write_lists() {
	lists=
	list bad.test ip4set <<-'END'
		:127.0.0.2:Listed, see http://bad.test/?$
		127.0.0.2
		127.0.21.0/24
	END
}
# Senders: of each of SPF's results.
write_senders() {
	zone sender.test <<-'END'
		pass     MX   10 mx
		pass     TXT  "v=spf1 ip4:192.0.2.1 -all"
		fail     MX   10 mx
		fail     TXT  "v=spf1 ip4:192.0.2.2 -all"
		all      MX   10 mx
		all      TXT  "v=spf1 +all"
		none     MX   10 mx
		mx       A    192.0.2.1
	END
}
start_rbldnsd
start_dns write_senders
prepare_chain
note_environment NOP0FCHECK 'SIMSCAN.*' 'DK[A-Z]*' 'AUTH_[A-Z_]*SET_.*' MFCHECK \
	MAXRCPT DATABYTES SPFBEHAVIOR 'VALIDRCPTTO_.*' SPF_LOG RELAYREJ \
	'QMAILSMTPD_LOG_.*' SSL QMAILQUEUE
# The pair for the script's user: a service runs as nobody.
make_ca
make_certificate mx mx.example.org
echo "kamran@example.org $(echo secret | auth-cdb -m sha512)" \
	>"$work/control/authusers"
mkauth -n -q "$work" -p /dev/null -s /dev/null -c "$work/control/auth.cdb"
printf '%s\n' 'u@example.org ' 'list-default@example.org ' \
	'bad@example.org -' '' >"$work/addresses"
cdb -c -m "$work/control/validrcptto.cdb" "$work/addresses"
chmod 711 "$work"
chmod -R a+rX "$work/control" "$work/mx"
chmod -R a+rwX "$work/Maildir"
# SPF lets this machine's own addresses pass; 127.0.30.2 is somebody else's.
cat >"$work/rules" <<END
127.0.30.2:allow,TCPREMOTEIP="192.0.2.1"
127.0.30.8:allow,RELAYCLIENT="",RBLSMTPD="",QMAILQUEUE="$work/scanner"
127.0.30.9:allow,DATABYTES="50"
:allow
END
tcprules "$work/rules.cdb" "$work/tmp" <"$work/rules"
chmod 644 "$work/rules.cdb"
cat >"$work/scanner" <<END
#!/bin/sh
exec "$work/queue"
END
chmod 755 "$work/scanner"

server_name=ours folders=$bin cdb=$work/rules.cdb
. "$(dirname "$0")/run-script.sh"
base64_of() {
	# shellcheck disable=SC2059 # escapes are the point
	printf "$1" | base64 -w 0
}
# greylisting of the guides, and everybody has been here before
known='JGREYLIST_HOLDTIME=0'
known() {
	come "$1" QUIT
	come "$1" QUIT
}
# Debian's tcpserver and ours, and sslserver, end with these.
TRUE=$(command -v true)

# ---- the settings of the install guide, all at once ----

cat >"$work/guide" <<END
	LOCAL=mx.example.org
	$known
	MAXLOAD=150
	MAXCONNIP=2
	MAXCONNC=5
	DIEMSG="421 \$LOCAL Service temporarily unavailable"
	DIEMSG_MAXLOAD="421 \$LOCAL Server busy, try again later."
	DIEMSG_MAXCONNIP="421 \$LOCAL Too many connections from your IP."
	DIEMSG_MAXCONNC="421 \$LOCAL Too many connections from your network."
	RBL_BAD="bad.test"
	SMTPGREETING="\$LOCAL NO UCE"
	DROP_PRE_GREET=1
	FORCE_TLS=0
	DENY_TLS=0
	MFCHECK=3
	MAXRCPT=100
	RELAYREJ=1
	QMAILSMTPD_LOG_MAIL=1
	QMAILSMTPD_LOG_RCPT=1
	QMAILSMTPD_HELP_VERSION=1
	REQUIRE_AUTH=0
	ALLOW_INSECURE_AUTH=0
	SPFBEHAVIOR=3
	SPF_LOG=1
	SPF_BLOCK_PLUS_ALL=1
	NOP0FCHECK=1
	SIMSCAN_DEBUG=2
	SIMSCAN_DEBUG_FILES=1
END
start_service <"$work/guide"
is "$(sed -n '/^[A-Z0-9_]*="/p' "$work/log" | grep -v '^JGREY\|^QMAILQUEUE')" \
	'SSL="0"
MAXLOAD="150"
MAXCONNIP="2"
MAXCONNC="5"
DIEMSG="421 mx.example.org Service temporarily unavailable"
DIEMSG_MAXLOAD="421 mx.example.org Server busy, try again later."
DIEMSG_MAXCONNIP="421 mx.example.org Too many connections from your IP."
DIEMSG_MAXCONNC="421 mx.example.org Too many connections from your network."
SMTPGREETING="mx.example.org NO UCE"
DROP_PRE_GREET="1"
FORCE_TLS="0"
DENY_TLS="0"
MFCHECK="3"
MAXRCPT="100"
RELAYREJ="1"
QMAILSMTPD_LOG_MAIL="1"
QMAILSMTPD_LOG_RCPT="1"
QMAILSMTPD_HELP_VERSION="1"
REQUIRE_AUTH="0"
ALLOW_INSECURE_AUTH="0"
SPFBEHAVIOR="3"
SPF_LOG="1"
SPF_BLOCK_PLUS_ALL="1"
NOP0FCHECK="1"
SIMSCAN_DEBUG="2"
SIMSCAN_DEBUG_FILES="1"' "the log begins as the guide's"
stop_service
# This machine may be a busy one.
echo MAXLOAD=1000000 >>"$work/guide"
start_service <"$work/guide"
known 127.0.30.2
come_and_talk 127.0.30.2 'the greeting, HELP and a message' <<'TALK'
S: ^220 mx\.example\.org NO UCE ESMTP$
C: ehlo kworkbee.homedomain.com
S: ^250-mx\.example\.org NO UCE\n250-SIZE 0\n(?![^Z]*(STARTTLS|AUTH))
C: help
S: ^214-qmail home page: http://pobox\.com/~djb/qmail\.html\n214 jms1 combined patch v7\.08 http://qmail\.jms1\.net/patches/combined\.shtml$
C: mail from: a@pass.sender.test
S: ^250 ok$
C: rcpt to: kamran@elsewhere.example
S: ^553 sorry, that domain isn't in my list of allowed rcpthosts \(#5\.7\.1\)$
C: rcpt to: u%x@example.org
S: ^553 we don't relay \(#5\.7\.1\)$
C: rcpt to: kamran@example.org
S: ^250 ok$
C: data
S: ^354 go ahead$
C: text
C: .
S: ^250 ok [0-9]+ qp [0-9]+$
C: quit
S: ^221 mx\.example\.org NO UCE$
TALK
is "$(smtpd_logged)" 'MFCHECK pass [192.0.2.1] pass.sender.test
Received-SPF: pass (mx.example.org: SPF record at pass.sender.test designates 192.0.2.1 as permitted sender)
MAIL FROM:<a@pass.sender.test>
RCPT TO:<kamran@elsewhere.example>
RCPT TO:<kamran@example.org>' 'MFCHECK, SPF_LOG and QMAILSMTPD_LOG_*: the log'
is "$(told_with kamran@example.org)" "MAXRCPT=100 MFCHECK=3 NOP0FCHECK=1 QMAILQUEUE=$work/queue QMAILSMTPD_LOG_MAIL=1 QMAILSMTPD_LOG_RCPT=1 RELAYREJ=1 SIMSCAN_DEBUG=2 SIMSCAN_DEBUG_FILES=1 SPFBEHAVIOR=3 SPFRESULT=pass SPF_LOG=1 SSL=0 TCPREMOTEIP=192.0.2.1 " \
	'simscan has its variables'
like "$(received_from kamran@example.org)" \
	'^Received: from unknown \(HELO kworkbee\.homedomain\.com\) \(192\.0\.2\.1\) by mx\.example\.org with SMTP$' \
	'the field Received is the guides'
come_and_talk 127.0.30.2 'MFCHECK, SPFBEHAVIOR and SPF_BLOCK_PLUS_ALL refuse' <<'TALK'
S: ^220
C: MAIL FROM:<a@nowhere.sender.test>
S: ^553 sorry, your envelope sender domain must exist \(#5\.7\.1\)$
C: MAIL FROM:<a@none.sender.test>
C: RCPT TO:<u@example.org>
C: RSET
S: ^250 ok$
S: ^250 ok$
S: ^250 flushed$
C: MAIL FROM:<a@fail.sender.test>
C: RCPT TO:<u@example.org>
C: RSET
S: ^250 ok$
S: ^550 See http://spf\.pobox\.com/why\.html\?.*192\.0\.2\.1.* \(#5\.7\.1\)$
S: ^250 flushed$
C: MAIL FROM:<a@all.sender.test>
C: RCPT TO:<u@example.org>
S: ^250 ok$
S: ^550 .* \(#5\.7\.1\)$
C: QUIT
S: ^221
TALK
is "$(smtpd_logged | grep -v '^MAIL\|^RCPT')" 'MFCHECK fail [192.0.2.1] nowhere.sender.test
Received-SPF: none (mx.example.org: domain at nowhere.sender.test does not designate permitted sender hosts)
MFCHECK pass [192.0.2.1] none.sender.test
Received-SPF: none (mx.example.org: domain at none.sender.test does not designate permitted sender hosts)
MFCHECK pass [192.0.2.1] fail.sender.test
Received-SPF: fail (mx.example.org: SPF record at fail.sender.test does not designate 192.0.2.1 as permitted sender)
MFCHECK pass [192.0.2.1] all.sender.test
Received-SPF: fail (mx.example.org: SPF record at all.sender.test does not designate 192.0.2.1 as permitted sender)' \
	'and the log says why'
{
	printf '%s\n' 'S: ^220' 'C: MAIL FROM:<>' 'S: ^250 ok$'
	yes 'C: RCPT TO:<u@example.org>' | head -n 101
	yes 'S: ^250 ok$' | head -n 100
	printf '%s\n' 'S: ^452 too many recipients \(#4\.5\.3\)$' 'C: QUIT' 'S: ^221'
} >"$work/many"
come_and_talk 127.0.30.2 'MAXRCPT: the 101st recipient is too many' <"$work/many"
like "$(smtpd_logged)" '^MAXRCPT fail \[192\.0\.2\.1\]$' 'and the log says so'
# DROP_PRE_GREET without GREETDELAY waits for a second.
known 127.0.30.1
heard=$(tcpclient -R -H -l 0 -i 127.0.30.1 "$address" "$run_port" sh -c \
	'printf "EHLO early\r\n" >&7; cat <&6' | tr -d '\r')
is "$heard" '554 SMTP protocol violation' 'DROP_PRE_GREET: who talks first is dropped'
# Two of one address, and five of one network, are inside.
hold() {
	tcp-talk -f "$1" -c "$work/holds.$1.$2" "$address" "$run_port" >/dev/null &
	holders="$holders $!"
	started="$started $!"
	wait_until test -e "$work/holds.$1.$2"
}
holders=
hold 127.0.31.1 1
hold 127.0.31.1 2
come 127.0.31.1 QUIT
is "$heard" '421 mx.example.org Too many connections from your IP.' \
	'MAXCONNIP and DIEMSG_MAXCONNIP'
hold 127.0.31.2 1
hold 127.0.31.3 1
hold 127.0.31.4 1
come 127.0.31.5 QUIT
is "$heard" '421 mx.example.org Too many connections from your network.' \
	'MAXCONNC and DIEMSG_MAXCONNC'
for pid in $holders; do stop "$pid"; done
stop_service

# ---- each setting that has not been among them ----

start_service <<-END
	$known
	GREYLIST=
	GREETDELAY=1
	RCPTCHECK=$work/check
END
cat >"$work/check" <<'END'
#!/bin/sh
case $RECIPIENT in
u@*) exit 0 ;;
later@*) exit 111 ;;
*) echo "550 $SENDER has no friend $RECIPIENT, $HELO" >&4; exit 100 ;;
esac
END
chmod 755 "$work/check"
known_at=$(date +%s%N)
come_and_talk 127.0.30.1 'RCPTCHECK: a program decides' <<'TALK'
S: ^220 mx\.example\.org ESMTP$
C: EHLO client.example
C: MAIL FROM:<a@b.example>
C: RCPT TO:<u@example.org>
C: RCPT TO:<later@example.org>
C: RCPT TO:<x@example.org>
C: QUIT
S: ^250
S: ^250 ok$
S: ^250 ok$
S: ^450 unable to verify recipient$
S: ^550 a@b\.example has no friend x@example\.org, client\.example$
S: ^221
TALK
ms=$((($(date +%s%N) - known_at) / 1000000))
is_at_least 1000 'GREETDELAY: it has waited for a second before it greeted'
stop_service

start_service <<-END
	$known
	GREYLIST=
	VALIDRCPTTO_CDB=$work/control/validrcptto.cdb
	VALIDRCPTTO_LIMIT=3
	VALIDRCPTTO_LOG=2
END
come_and_talk 127.0.30.1 'VALIDRCPTTO_CDB, and VALIDRCPTTO_LIMIT' <<'TALK'
S: ^220
C: MAIL FROM:<>
C: RCPT TO:<U@example.org>
C: RCPT TO:<list-a-b@example.org>
C: RCPT TO:<bad@example.org>
C: RCPT TO:<other@example.org>
C: RCPT TO:<another@example.org>
S: ^250 ok$
S: ^250 ok$
S: ^250 ok$
S: ^553 sorry, this recipient is not in my validrcptto list \(#5\.7\.1\)$
S: ^553 sorry, this recipient is not in my validrcptto list \(#5\.7\.1\)$
S: ^421 too many invalid addresses, goodbye \(#4\.3\.0\)$
EOF
TALK
is "$(smtpd_logged | sed -n 's/^validrcptto \[127\.0\.30\.1\] //p')" \
	'RCPT TO: u@example.org
trying: u@example.org
found: u@example.org
RCPT TO: list-a-b@example.org
trying: list-a-b@example.org
trying: list-a-default@example.org
trying: list-default@example.org
found: list-default@example.org
RCPT TO: bad@example.org
trying: bad@example.org
reject: bad@example.org
not found: bad@example.org
RCPT TO: other@example.org
trying: other@example.org
trying: @example.org
not found: other@example.org
RCPT TO: another@example.org
trying: another@example.org
trying: @example.org
not found: another@example.org
excessive violations, hanging up' 'VALIDRCPTTO_LOG: all that it did'
stop_service

# ---- logins ----

tls_settings="$known
GREYLIST=
SSL_CERT=$work/mx
QMAILSMTPD_LOG_RCPT=0"
# in_tls: what a client says until it is in TLS
in_tls='S: ^220
C: EHLO client
S: 250-STARTTLS\n
C: STARTTLS
S: ^220 ready for tls$
TLS
C: EHLO client
S: ^250'

# What is not there for strangers, and what a login changes.
start_service <<-END
	$tls_settings
	AUTH=1
	AUTH_CDB=$work/control/auth.cdb
	REQUIRE_AUTH=0
	ALLOW_INSECURE_AUTH=0
	CHECKPW=/nowhere
	TRUE=$TRUE
	MFCHECK=3
	MAXRCPT=100
	AUTH_SET_MFCHECK=0
	AUTH_SET_MAXRCPT=101
	AUTH_SET_DATABYTES=100
	AUTH_SET_SPFBEHAVIOR=0
	AUTH_SET_VALIDRCPTTO_CDB=$work/control/validrcptto.cdb
	AUTH_SET_VALIDRCPTTO_LIMIT=7
	AUTH_SET_VALIDRCPTTO_LOG=2
	AUTH_SET_SPF_LOG=1
	AUTH_SET_RELAYREJ=1
	AUTH_SET_QMAILSMTPD_LOG_MAIL=1
	AUTH_SET_QMAILSMTPD_LOG_RCPT=1
	DOMAINKEYS=1
	DKVERIFY=DEGIJKfh
	AUTH_SET_DKSIGN=/var/qmail/control/domainkeys/%/private
END
like "$(cat "$work/log")" "  qmail-smtpd  2>&1\$" 'AUTH_CDB: no checker in the command line'
like "$(cat "$work/log")" "^TLS_SERVER_CERT=\"$work/mx\"\$" \
	'SSL_CERT: TLS_SERVER_CERT is exported'
like "$(cat "$work/log")" '^AUTH_UNSET_DKVERIFY="1"$' \
	'DOMAINKEYS: AUTH_UNSET_DKVERIFY is exported'
mkdir "$work/bin"
cat >"$work/bin/qmail-dk" <<'END'
#!/bin/sh
exec "$DKQUEUE"
END
chmod 755 "$work/bin/qmail-dk"
come_and_talk 127.0.30.1 'a stranger: nothing of all that' <<'TALK'
S: ^220
C: EHLO client
S: 250-STARTTLS\n
C: AUTH PLAIN AGthbXJhbkBleGFtcGxlLm9yZwBzZWNyZXQ=
S: ^504 auth type not available \(#5\.5\.1\)$
C: MAIL FROM:<a@nowhere.sender.test>
S: ^553 sorry, your envelope sender domain must exist \(#5\.7\.1\)$
C: MAIL FROM:<a@none.sender.test> SIZE=101
C: RCPT TO:<u%stranger@example.org>
C: RCPT TO:<u@elsewhere.example>
C: DATA
S: ^250 ok$
S: ^250 ok$
S: ^553 sorry, that domain
S: ^354
C: .
C: QUIT
S: ^250 ok [0-9]+ qp
S: ^221
TALK
is "$(smtpd_logged)" 'MFCHECK fail [127.0.30.1] nowhere.sender.test
MFCHECK pass [127.0.30.1] none.sender.test' 'and in the log nothing but MFCHECK'
is "$(told_with u%stranger@example.org)" "AUTH_SET_DATABYTES=100 AUTH_SET_DKSIGN=/var/qmail/control/domainkeys/%/private AUTH_SET_MAXRCPT=101 AUTH_SET_MFCHECK=0 AUTH_SET_QMAILSMTPD_LOG_MAIL=1 AUTH_SET_QMAILSMTPD_LOG_RCPT=1 AUTH_SET_RELAYREJ=1 AUTH_SET_SPFBEHAVIOR=0 AUTH_SET_SPF_LOG=1 AUTH_SET_VALIDRCPTTO_CDB=$work/control/validrcptto.cdb AUTH_SET_VALIDRCPTTO_LIMIT=7 AUTH_SET_VALIDRCPTTO_LOG=2 AUTH_UNSET_DKVERIFY=1 DKQUEUE=$work/queue DKVERIFY=DEGIJKfh MAXRCPT=100 MFCHECK=3 QMAILQUEUE=$work/bin/qmail-dk QMAILSMTPD_LOG_RCPT=0 SSL=0 TCPREMOTEIP=127.0.30.1 " \
	'DOMAINKEYS: its mail is verified by qmail-dk'

come_and_talk 127.0.30.1 'a login by LOGIN, as in the guide, and what it changes' <<TALK
$in_tls
C: AUTH LOGIN
S: ^334 VXNlcm5hbWU6$
C: $(base64_of kamran@example.org)
S: ^334 UGFzc3dvcmQ6$
C: $(base64_of secret)
S: ^235 ok, go ahead \(#2\.0\.0\)$
C: MAIL FROM:<a@nowhere.sender.test> SIZE=101
S: ^552 sorry, that message size exceeds my databytes limit \(#5\.3\.4\)$
C: MAIL FROM:<a@nowhere.sender.test>
C: RCPT TO:<u%x@example.org>
C: RCPT TO:<kamran@wbitt.example>
S: ^250 ok$
S: ^553 we don't relay \(#5\.7\.1\)$
S: ^250 ok$
C: DATA
S: ^354
C: .
S: ^250 ok [0-9]+ qp
C: QUIT
S: ^221
TALK
is "$(smtpd_logged)" 'AUTH successful [127.0.30.1] kamran@example.org
DATABYTES exceeded [127.0.30.1]
MAIL FROM:<a@nowhere.sender.test>
RCPT TO:<kamran@wbitt.example>' 'AUTH_SET_QMAILSMTPD_LOG_*: the log'
is "$(told_with kamran@wbitt.example)" "DATABYTES=100 DKQUEUE=$work/queue DKSIGN=/var/qmail/control/domainkeys/%/private MAXRCPT=101 MFCHECK=0 QMAILQUEUE=$work/bin/qmail-dk QMAILSMTPD_LOG_MAIL=1 QMAILSMTPD_LOG_RCPT=1 RELAYCLIENT= RELAYREJ=1 SMTPAUTHMETHOD=login SMTPAUTHUSER=kamran@example.org SMTP_AUTH_USER=kamran@example.org SPFBEHAVIOR=0 SPF_LOG=1 SSL=0 TCPREMOTEINFO=kamran@example.org TCPREMOTEIP=127.0.30.1 VALIDRCPTTO_CDB=$work/control/validrcptto.cdb VALIDRCPTTO_LIMIT=7 VALIDRCPTTO_LOG=2 " \
	'AUTH_SET_* and AUTH_UNSET_DKVERIFY: the queue program has them'
{
	printf '%s\n' "$in_tls" "C: AUTH PLAIN $(base64_of '\0kamran@example.org\0secret')" \
		'S: ^235' 'C: MAIL FROM:<>' 'S: ^250 ok$'
	yes 'C: RCPT TO:<u@wbitt.example>' | head -n 102
	yes 'S: ^250 ok$' | head -n 101
	printf '%s\n' 'S: ^452 too many recipients \(#4\.5\.3\)$' 'C: QUIT' 'S: ^221'
} >"$work/many"
come_and_talk 127.0.30.1 'AUTH_SET_MAXRCPT: 101 recipients' <"$work/many"
stop_service

start_service <<-END
	$known
	GREYLIST=
	AUTH=1
	CHECKPW=$tests/checker
	TRUE=$TRUE
	ALLOW_INSECURE_AUTH=1
	REQUIRE_AUTH=1
END
like "$(cat "$work/log")" "  qmail-smtpd mx.example.org $tests/checker $TRUE 2>&1\$" \
	'CHECKPW and TRUE are in the command line'
come_and_talk 127.0.30.1 'REQUIRE_AUTH, ALLOW_INSECURE_AUTH and CHECKPW' <<TALK
S: ^220
C: EHLO client
S: 250-AUTH LOGIN PLAIN\n250-AUTH=LOGIN PLAIN\n
C: MAIL FROM:<>
S: ^503 AUTH first \(#5\.5\.1\)$
C: AUTH PLAIN $(base64_of '\0tim\0secret')
S: ^235
C: MAIL FROM:<>
C: RCPT TO:<checked@elsewhere.example>
C: DATA
S: ^250 ok$
S: ^250 ok$
S: ^354
C: .
C: QUIT
S: ^250 ok [0-9]+ qp
S: ^221
TALK
like "$(told_with checked@elsewhere.example)" ' SMTP_AUTH_USER=tim ' \
	'the queue program is told who it was'
stop_service

start_service <<-END
	$known
	GREYLIST=
	AUTH=1
	AUTH_CDB=$work/nowhere.cdb
END
come 127.0.30.1 QUIT
is "$heard" '421 cannot read AUTH_CDB file' 'AUTH_CDB that is not there'
stop_service
start_service <<-END
	$known
	GREYLIST=
	REQUIRE_AUTH=1
END
come 127.0.30.1 QUIT
is "$heard" '421 REQUIRE_AUTH set without valid AUTH program.' \
	'REQUIRE_AUTH, and nobody to check'
stop_service
start_service <<-END
	$known
	GREYLIST=
	VALIDRCPTTO_CDB=$work/nowhere.cdb
END
come 127.0.30.1 QUIT
is "$heard" '421 unable to read controls (#4.3.0)' \
	'VALIDRCPTTO_CDB that is not there: the transcript of the guide'
stop_service

# ---- TLS ----

start_service <<-END
	$tls_settings
	FORCE_TLS=1
END
come_and_talk 127.0.30.1 'FORCE_TLS' <<TALK
S: ^220
C: MAIL FROM:<>
S: ^503 STARTTLS first \(#5\.5\.1\)$
C: EHLO client
S: 250-STARTTLS\n
C: STARTTLS
S: ^220 ready for tls$
TLS
C: MAIL FROM:<>
S: ^250 ok$
C: QUIT
S: ^221
TALK
stop_service
start_service <<-END
	$tls_settings
	DENY_TLS=1
END
come_and_talk 127.0.30.1 'DENY_TLS' <<TALK
S: ^220
C: EHLO client
S: \A(?![^Z]*STARTTLS)
C: STARTTLS
S: ^454 TLS not available \(4\.3\.0\)$
C: MAIL FROM:<>
S: ^250 ok$
C: QUIT
S: ^221
TALK
stop_service
start_service <<-END
	$tls_settings
	FORCE_TLS=1
	DENY_TLS=1
END
come 127.0.30.1 QUIT
is "$heard" '421 FORCE_TLS and DENY_TLS both found (#4.3.0)' 'both at once'
stop_service
start_service <<-END
	$tls_settings
	SSL=1
	FORCE_TLS=1
	DENY_TLS=1
	AUTH=1
	AUTH_CDB=$work/control/auth.cdb
END
come_and_talk 127.0.30.1 'SSL: FORCE_TLS and DENY_TLS are not looked at' <<TALK
TLS
S: ^220
C: EHLO client
S: 250-AUTH LOGIN PLAIN\n(?![^Z]*STARTTLS)
C: STARTTLS
S: ^454 TLS not available: already SSL secured \(4\.3\.0\)$
C: AUTH LOGIN $(base64_of kamran@example.org)
S: ^334
C: $(base64_of secret)
S: ^235
C: MAIL FROM:<>
C: RCPT TO:<ssl@elsewhere.example>
C: DATA
S: ^250 ok$
S: ^250 ok$
S: ^354
C: .
C: QUIT
S: ^250 ok [0-9]+ qp
S: ^221
TALK
like "$(told_with ssl@elsewhere.example)" ' SSL=1 ' 'the queue program sees SSL'
stop_service

# ---- who comes from where ----

start_service <<-END
	$known
	DATABYTES=1
END
come_and_talk 127.0.30.8 'a rule with RELAYCLIENT, RBLSMTPD and QMAILQUEUE' <<'TALK'
S: ^220
C: MAIL FROM:<>
C: RCPT TO:<scanned@elsewhere.example>
C: DATA
S: ^250 ok$
S: ^250 ok$
S: ^354
C: .
C: QUIT
S: ^250 ok [0-9]+ qp
S: ^221
TALK
is "$(told_with scanned@elsewhere.example)" \
	"QMAILQUEUE=$work/scanner RELAYCLIENT= SSL=0 TCPREMOTEIP=127.0.30.8 " \
	'qmail-scanner sees RELAYCLIENT'
known 127.0.30.9
come_and_talk 127.0.30.9 'a rule with DATABYTES' <<'TALK'
S: ^220
C: EHLO client
S: 250-SIZE 50\n
C: MAIL FROM:<> SIZE=51
S: ^552 sorry, that message size exceeds my databytes limit \(#5\.3\.4\)$
C: QUIT
S: ^221
TALK
stop_service
start_service <<-END
	$known
	IP=127.0.0.1
END
come_and_talk 127.0.30.1 'IP=127.0.0.1: everybody there may relay' <<'TALK'
S: ^220
C: MAIL FROM:<>
C: RCPT TO:<local@elsewhere.example>
C: DATA
S: ^250 ok$
S: ^250 ok$
S: ^354
C: .
C: QUIT
S: ^250 ok [0-9]+ qp
S: ^221
TALK
is "$(told_with local@elsewhere.example)" \
	"QMAILQUEUE=$work/queue RELAYCLIENT= SSL=0 TCPREMOTEIP=127.0.30.1 " \
	'RELAYCLIENT is there, and empty'
stop_service

done_testing
