#!/bin/sh
# smtpd and the accounts of this host: qmail-ldap's flags RCPTCHECK and SENDERCHECK,
# goodmailaddr, LDAPSOFTOK and BADRCPTDELAY, with the table of mkvalidrcptto in the
# place of LDAP.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/tables.sh
. "$tests/tables.sh"
need cdb

no_account='554 Sorry, no mailbox here by that name. (#5.1.1)'
no_table='451 temporary lookup failure, try again later (#4.3.0)'
not_local='554 refused mailfrom because valid local sender address required'
CONTROLDIR=$work/control
TCPREMOTEIP=192.0.2.7
export CONTROLDIR TCPREMOTEIP
mkdir "$CONTROLDIR"
echo mx.example.org >"$CONTROLDIR/me"
printf '%s\n' example.org mx.example.org other.example >"$CONTROLDIR/rcpthosts"
printf '# ours\nExample.org\nmx.example.org\n' >"$CONTROLDIR/locals"
# table FILE ADDRESS…
table() {
	to=$1
	shift
	for address; do
		printf '+%d,0:%s->\n' "${#address}" "$address"
	done >"$work/records"
	echo >>"$work/records"
	cdb -c "$to" "$work/records"
}
table "$CONTROLDIR/validrcptto.cdb" joe@example.org joe-default@example.org \
	joe@mx.example.org

# session SENDER RECIPIENT…: the replies, but for those to the greeting and QUIT
session() {
	{
		printf 'MAIL FROM:<%s>\r\n' "$1"
		shift
		[ $# -eq 0 ] || printf 'RCPT TO:<%s>\r\n' "$@"
		printf 'QUIT\r\n'
	} | smtpd 2>"$work/log" | tr -d '\r' | sed '/^22[01] /d'
}
# recipients ADDRESS…: the replies to RCPT
recipients() {
	session '' "$@" | sed 1d
}

is "$(recipients bob@example.org)" '250 ok' 'without RCPTCHECK all names are taken'
RCPTCHECK=
export RCPTCHECK
is "$(recipients joe@example.org JOE@Example.Org joe-x@example.org)" '250 ok
250 ok
250 ok' 'RCPTCHECK, which only has to be there: accounts'
is "$(recipients bob@example.org joe@example.org)" "$no_account
250 ok" 'and others'
is "$(cat "$work/log")" '' 'of which the log has nothing'
is "$(RCPTCHECK=1 recipients bob@example.org)" "$no_account" 'RCPTCHECK=1'
is "$(recipients bob@other.example)" '250 ok' \
	'a domain that is not local: nobody here knows'
is "$(recipients u@elsewhere.example | cut -c 1-38)" \
	"553 sorry, that domain isn't in my lis" 'and one that is not ours'
is "$(RELAYCLIENT='' recipients u@elsewhere.example bob@example.org)" "250 ok
$no_account" 'our own clients may not invent accounts either'
is "$(recipients joe bob)" "250 ok
$no_account" 'a name without a domain is one of control/me'
is "$(recipients postmaster PostMaster postmaster@example.org)" "250 ok
250 ok
$no_account" 'but postmaster is always there'
is "$(VALIDRCPTTO_LIMIT=1 recipients bob@example.org bob@example.org)" \
	"$no_account
$no_account" 'VALIDRCPTTO_LIMIT is not for these'

# control/locals
mv "$CONTROLDIR/locals" "$work/locals"
is "$(recipients bob@example.org joe@mx.example.org bob@MX.example.org)" "250 ok
250 ok
$no_account" 'without control/locals, control/me is local'
: >"$CONTROLDIR/locals"
is "$(recipients bob@mx.example.org)" '250 ok' 'with an empty one nothing is'
rm "$CONTROLDIR/locals"
mkdir "$CONTROLDIR/locals"
is "$(recipients bob@example.org)" '421 unable to read controls (#4.3.0)' \
	'one that cannot be read'
like "$(cat "$work/log")" 'unable to read .*control/locals: ' 'which is logged'
rmdir "$CONTROLDIR/locals"
mv "$work/locals" "$CONTROLDIR/locals"

# goodmailaddr
printf '%s\n' '# these' Boss@Example.ORG @mx.example.org >"$CONTROLDIR/goodmailaddr"
is "$(recipients boss@example.org anybody@mx.example.org bob@example.org)" "250 ok
250 ok
$no_account" 'goodmailaddr: addresses, and @domain'
is "$(SENDERCHECK=STRICT session boss@example.org)" '250 ok' \
	'which may send as well'
rm "$CONTROLDIR/goodmailaddr"
mkdir "$CONTROLDIR/goodmailaddr"
is "$(recipients bob@example.org)" '421 unable to read controls (#4.3.0)' \
	'one that cannot be read'
rmdir "$CONTROLDIR/goodmailaddr"

# VALIDRCPTTO_CDB is the table then.
table "$work/other.cdb" bob@example.org
is "$(VALIDRCPTTO_CDB=$work/other.cdb RELAYCLIENT='' recipients \
	bob@example.org joe@example.org)" "250 ok
$no_account" 'VALIDRCPTTO_CDB'
plant_user ann x
CONTROLDIR=$tree/control mkvalidrcptto -n -p "$tree/passwd" -c "$work/made.cdb"
echo mail.example.com >"$tree/control/rcpthosts"
is "$(CONTROLDIR=$tree/control && cp "$work/made.cdb" "$CONTROLDIR/validrcptto.cdb" &&
	recipients ann@mail.example.com bob@mail.example.com ann)" "250 ok
$no_account
250 ok" 'the table that mkvalidrcptto makes'

# A login may bring another one.
printf '#!/bin/sh\nexit 0\n' >"$work/checker"
chmod 755 "$work/checker"
is "$(printf '%s\r\n' 'MAIL FROM:<>' 'RCPT TO:<joe@example.org>' RSET \
	'AUTH PLAIN AHUAcA==' 'MAIL FROM:<>' 'RCPT TO:<joe@example.org>' \
	'RCPT TO:<bob@example.org>' |
	VALIDRCPTTO_CDB=$CONTROLDIR/validrcptto.cdb \
		AUTH_SET_VALIDRCPTTO_CDB=$work/other.cdb ALLOW_INSECURE_AUTH=1 \
		smtpd mx.example.org "$work/checker" true 2>"$work/log" |
	tr -d '\r' | sed 1d)" "250 ok
250 ok
250 flushed
235 ok, go ahead (#2.0.0)
250 ok
$no_account
250 ok" 'the table of a login'

# The table cannot be had.
mv "$CONTROLDIR/validrcptto.cdb" "$work/valid.cdb"
is "$(recipients joe@example.org bob@other.example postmaster)" "$no_table
250 ok
250 ok" 'without a table: try again'
like "$(cat "$work/log")" \
	"unable to read $CONTROLDIR/validrcptto.cdb: file does not exist" \
	'which is logged'
is "$(LDAPSOFTOK='' recipients joe@example.org bob@example.org)" '250 ok
250 ok' 'LDAPSOFTOK, which only has to be there: all are accounts'
perl -e 'print "\xff" x 2048' >"$CONTROLDIR/validrcptto.cdb"
is "$(recipients joe@example.org)" "$no_table" 'with a damaged one: try again'
is "$(LDAPSOFTOK='' recipients joe@example.org)" '250 ok' 'or LDAPSOFTOK'
is "$(SENDERCHECK='' session joe@example.org)" "$no_table" 'for a sender as well'
is "$(SENDERCHECK='' LDAPSOFTOK='' session joe@example.org)" '250 ok' \
	'or LDAPSOFTOK'
mv "$work/valid.cdb" "$CONTROLDIR/validrcptto.cdb"

# BADRCPTDELAY
cat >"$work/delay.txt" <<END
env CONTROLDIR=$CONTROLDIR
env RCPTCHECK=
== BADRCPTDELAY: who leaves is let go, and what was said before is told
env BADRCPTDELAY=1000
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<joe@example.org>
C: RCPT TO:<bob@example.org>
S*2: 250 ok
CLOSE
END
dialogues "$work/delay.txt"
cat >"$work/delay.txt" <<END
env CONTROLDIR=$CONTROLDIR
env RCPTCHECK=
== a delay
env BADRCPTDELAY=1
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<bob@example.org>
C: RCPT TO:<joe@example.org>
S: 250 ok
S: $no_account
S: 250 ok
END
timed dialogue "$work/delay.txt" >"$work/out"
like "$(cat "$work/out")" '^ok 1' 'BADRCPTDELAY: others are told'
is_at_least 1000 'after it'
# 4xx is no reason to wait.
is "$(CONTROLDIR=$work/control && mv "$CONTROLDIR/validrcptto.cdb" "$work/valid.cdb" &&
	BADRCPTDELAY=1000 recipients joe@example.org)" "$no_table" \
	'nobody waits for a temporary refusal'
mv "$work/valid.cdb" "$CONTROLDIR/validrcptto.cdb"

# SENDERCHECK
unset RCPTCHECK
is "$(session bob@example.org)" '250 ok' 'without SENDERCHECK anybody sends'
# senders VALUE ADDRESS…: the replies to MAIL
senders() {
	value=$1
	shift
	for address; do
		SENDERCHECK=$value session "$address"
	done
}
is "$(senders '' joe@example.org Joe-x@Example.org '' '#@[]' \
	u@elsewhere.example u@other.example noat)" '250 ok
250 ok
250 ok
250 ok
250 ok
250 ok
250 ok' 'SENDERCHECK, which only has to be there: accounts, and senders elsewhere'
is "$(senders '' bob@example.org)" "$no_account" 'but not others of ours'
is "$(senders loose joe@example.org u@other.example '' '#@[]' noat)" '250 ok
250 ok
250 ok
250 ok
250 ok' 'SENDERCHECK=LOOSE: accounts, and senders in rcpthosts'
is "$(senders LOOSE bob@example.org u@elsewhere.example)" "$no_account
$not_local" 'but not others'
is "$(senders STRICT joe@example.org '' '#@[]')" '250 ok
250 ok
250 ok' 'SENDERCHECK=STRICT: accounts'
is "$(senders Strict bob@example.org u@other.example u@elsewhere.example noat)" \
	"$no_account
$not_local
$not_local
$not_local" 'but no others'
is "$(RELAYCLIENT='' senders STRICT u@elsewhere.example)" "$not_local" \
	'our own clients may not invent senders either'
is "$(SENDERCHECK='' session bob@example.org joe@example.org)" \
	"$no_account
503 MAIL first (#5.5.1)" 'MAIL is refused, there is no message'
is "$(mv "$CONTROLDIR/rcpthosts" "$work" && SMTPD_OPEN_RELAY=1 senders LOOSE \
	u@elsewhere.example)" '250 ok' 'SENDERCHECK=LOOSE where everything is relayed'
mv "$work/rcpthosts" "$CONTROLDIR"
printf '+12,0:more.example->\n\n' >"$work/records"
cdb -c "$CONTROLDIR/morercpthosts.cdb" "$work/records"
is "$(senders LOOSE u@More.example u@less.example)" "250 ok
$not_local" 'SENDERCHECK=LOOSE: morercpthosts.cdb counts'

done_testing
