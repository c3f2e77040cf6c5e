#!/bin/sh
# smtpd and validrcptto.cdb (case 54): what is found in it, the limit, the log; the
# file missing, damaged, made by others, and renamed under a server that runs.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/tables.sh
. "$tests/tables.sh"
need cdb perl

not_in_list='553 sorry, this recipient is not in my validrcptto list (#5.7.1)'
not_ours="553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)"
goodbye='421 too many invalid addresses, goodbye (#4.3.0)'
no_controls='421 unable to read controls (#4.3.0)'
CONTROLDIR=$work/control
TCPREMOTEIP=192.0.2.7
export CONTROLDIR TCPREMOTEIP
mkdir "$CONTROLDIR"
echo mx.example.org >"$CONTROLDIR/me"
printf '%s\n' example.org open.example >"$CONTROLDIR/rcpthosts"

# records FILE: of the lines "KEY DATA" on standard input, as cdb -c wants them
records() {
	perl -ne 'chomp; my ($key, $data) = split / /, $_, 2; $data //= "";
		printf "+%d,%d:%s->%s\n", length $key, length $data, $key, $data;
		END { print "\n" }' >"$1"
}
cat >"$work/addresses" <<'END'
joe@example.org
ann@example.org some data
joe-default@example.org
joe-lists-default@example.org
joe-lists-closed-default@example.org -closed
-default@example.org
left@example.org -left
alone
@open.example
gone@open.example -
gone-default@open.example -
END
records "$work/records" <"$work/addresses"
cdb -c "$work/valid.cdb" "$work/records"
VALIDRCPTTO_CDB=$work/valid.cdb
export VALIDRCPTTO_CDB

# session ADDRESS…: the replies to RCPT, but to the others; $code and the log in
# $work/log
session() {
	{
		printf 'MAIL FROM:<s@client.example>\r\n'
		printf 'RCPT TO:<%s>\r\n' "$@"
		printf 'QUIT\r\n'
	} | smtpd 2>"$work/errors" >"$work/replies"
	code=$?
	sed 's/^qmail-smtpd\[[0-9]*\]: //' "$work/errors" >"$work/log"
	tr -d '\r' <"$work/replies" | sed '/^220 /d; /^221 /d' | sed 1d
}
# known ADDRESS, unknown ADDRESS
known() {
	is "$(session "$1")" '250 ok' "54: known: $1"
}
unknown() {
	is "$(session "$1")" "$not_in_list" "54: unknown: $1"
}

known joe@example.org
known JOE@Example.ORG
known ann@example.org
unknown bob@example.org
unknown joe@open.example.org@example.org
known joe-anything@example.org
known Joe-Any-Thing@example.org
known joe-lists-x@example.org
unknown joe-lists-closed-x@example.org
known joe-lists-closed@example.org
known -x@example.org
known -@example.org
unknown joey-x@example.org
unknown left@example.org
known anybody@open.example
unknown gone@open.example
unknown gone-x@open.example
known gonex@open.example
known alone
unknown other
known postmaster
known PostMaster
is "$(session bob@elsewhere.example)$(cat "$work/log")" "$not_ours" \
	'a domain that is not ours is not looked for'
is "$(RELAYCLIENT='' session bob@example.org bob@elsewhere.example)" '250 ok
250 ok' 'nor what our own clients send to'
is "$(VALIDRCPTTO_CDB='' session bob@example.org)" '250 ok' \
	'an empty path is none'
is "$(unset VALIDRCPTTO_CDB && session bob@example.org)" '250 ok' \
	'and without one nothing is looked for'

# VALIDRCPTTO_LIMIT
# bobs N: as many that are not there
bobs() {
	perl -e 'print "bob$_\@example.org\n" for 1 .. shift' "$1"
}
# shellcheck disable=SC2046 # no blanks in them
is "$(session $(bobs 9) joe@example.org | sort | uniq -c | sed 's/^ *//')" \
	"1 250 ok
9 $not_in_list" '54: nine are refused'
# shellcheck disable=SC2046
is "$(session $(bobs 9) left@example.org joe@example.org | tail -n 2)" \
	"$not_in_list
$goodbye" '54: the tenth ends the session, be it rejected or not there'
# shellcheck disable=SC2046
session $(bobs 10) >/dev/null
is "$code $(tail -n 2 "$work/log")" \
	'1 validrcptto [192.0.2.7] not found: bob10@example.org
validrcptto [192.0.2.7] excessive violations, hanging up' 'with these lines in the log'
is "$(VALIDRCPTTO_LIMIT=2 session bob@example.org joe@example.org \
	bob@example.org)" "$not_in_list
250 ok
$goodbye" 'VALIDRCPTTO_LIMIT'
is "$(VALIDRCPTTO_LIMIT=1 session bob@example.org)" "$goodbye" \
	'VALIDRCPTTO_LIMIT=1'
is "$(BRTLIMIT=2 session bob@example.org bob@example.org)" "$not_in_list
$goodbye" 'BRTLIMIT'
# shellcheck disable=SC2046
is "$(VALIDRCPTTO_LIMIT=0 session $(bobs 30) joe@example.org | sort | uniq -c |
	sed 's/^ *//')" "1 250 ok
30 $not_in_list" 'VALIDRCPTTO_LIMIT=0 is no limit'
is "$(VALIDRCPTTO_LIMIT=1 session bob@elsewhere.example bob@elsewhere.example)" \
	"$not_ours
$not_ours" 'other refusals are not counted'
cat >"$work/limit.txt" <<END
env VALIDRCPTTO_CDB=$work/valid.cdb
env VALIDRCPTTO_LIMIT=3
== VALIDRCPTTO_LIMIT is for the session, and nothing of it is accepted
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<joe@example.org>
C: RCPT TO:<bob@example.org>
S*2: 250 ok
S: 553 *
C: RSET
C: MAIL FROM:<>
C: RCPT TO:<bob@example.org>
C: RCPT TO:<joe@example.org>
S: 250 flushed
S: 250 ok
S: 553 *
S: 250 ok
C: RCPT TO:<bob@example.org>
C: DATA
C: .
S: $goodbye
EOF
STATUS: 1
END
dialogues "$work/limit.txt"

# VALIDRCPTTO_LOG
# logs LEVEL WANTED NAME ADDRESS…
logs() {
	wanted=$2
	name=$3
	level=$1
	shift 3
	VALIDRCPTTO_LOG=$level session "$@" >/dev/null
	is "$(sed 's/^validrcptto \[192.0.2.7\] //' "$work/log")" "$wanted" "$name"
}
logs 0 'not found: Bob@example.org
not found: left@example.org' 'VALIDRCPTTO_LOG=0' joe@example.org \
	Bob@example.org left@example.org
VALIDRCPTTO_LOG=1 session Joe-x@example.org >/dev/null
is "$(cat "$work/log")" 'validrcptto [192.0.2.7] RCPT TO: joe-x@example.org
validrcptto [192.0.2.7] found: joe-default@example.org' \
	'VALIDRCPTTO_LOG=1, whole lines'
logs 1 'RCPT TO: bob@example.org
not found: Bob@example.org
RCPT TO: left@example.org
reject: left@example.org
not found: left@example.org
RCPT TO: x@open.example
found: @open.example' 'VALIDRCPTTO_LOG=1' Bob@example.org left@example.org \
	x@open.example
logs 2 'RCPT TO: jim-a-b@example.org
trying: jim-a-b@example.org
trying: jim-a-default@example.org
trying: jim-default@example.org
trying: @example.org
not found: jim-a-b@example.org' 'VALIDRCPTTO_LOG=2' jim-a-b@example.org
logs 2 'RCPT TO: joe-lists-closed-x@example.org
trying: joe-lists-closed-x@example.org
trying: joe-lists-closed-default@example.org
reject: joe-lists-closed-default@example.org
not found: joe-lists-closed-x@example.org' 'and a rejection' \
	joe-lists-closed-x@example.org
logs 2 'RCPT TO: other
trying: other
not found: other' 'and no domain' other
(
	QMAILSMTPD_LOG_RCPT=1
	export QMAILSMTPD_LOG_RCPT
	VALIDRCPTTO_LOG=1 session Joe@example.org >/dev/null
)
is "$(cat "$work/log")" 'RCPT TO:<Joe@example.org>
validrcptto [192.0.2.7] found: joe@example.org' \
	'QMAILSMTPD_LOG_RCPT is enough for the recipient'
session "$(printf '\033[2J\344')@example.org" >/dev/null
session "$(printf '\344')@example.org" >/dev/null
is "$(cat "$work/log")" 'validrcptto [192.0.2.7] not found: ?@example.org' \
	'the log shows no byte as it came'

# Other names for it.
for name in MOREVALIDRCPTTO_CDB RECIPIENTS; do
	is "$(unset VALIDRCPTTO_CDB && export "$name=$work/valid.cdb" &&
		session bob@example.org)" "$not_in_list" "$name"
done
is "$(RECIPIENTS=/nonexistent session bob@example.org)" "$not_in_list" \
	'VALIDRCPTTO_CDB comes before them'

# 57: not to be had, or damaged.
# fails PATH CAUSE NAME
fails() {
	got=$(printf 'QUIT\r\n' | VALIDRCPTTO_CDB=$1 smtpd 2>"$work/log" |
		tr -d '\r')
	is "$got" "$no_controls" "57: $3"
	like "$(cat "$work/log")" \
		"^qmail-smtpd\\[[0-9]+\\]: unable to read .*: $2\$" 'which is logged'
}
fails "$work/none.cdb" 'file does not exist' 'no such file'
fails "$work" '.*' 'a folder'
: >"$work/empty.cdb"
fails "$work/empty.cdb" '.*' 'an empty file'
perl -e 'print "\xff" x 2048, "x" x 100' >"$work/bad.cdb"
fails "$work/bad.cdb" '.*' 'one that points behind its end'
cp "$work/valid.cdb" "$work/secret.cdb"
chmod 0 "$work/secret.cdb"
is_user 'a file that may not be read' &&
	fails "$work/secret.cdb" 'access denied' 'a file that may not be read'
cp "$work/valid.cdb" "$work/here.cdb"
(
	cd "$work" || exit
	printf 'QUIT\r\n' | VALIDRCPTTO_CDB=here.cdb smtpd 2>"$work/log"
) >"$work/replies"
is "$(tr -d '\r' <"$work/replies")" "$no_controls" \
	'a relative path is none of the current folder'
like "$(cat "$work/log")" "unable to read $(head -n 1 "$top/conf-home")/here.cdb: " \
	'but one under the home'
problem=
size=$(wc -c <"$work/valid.cdb")
cut=0
while [ "$cut" -lt "$size" ]; do
	head -c "$cut" "$work/valid.cdb" >"$work/bad.cdb"
	got=$(VALIDRCPTTO_CDB=$work/bad.cdb session bob@example.org)
	case $(tr -d '\r' <"$work/replies") in
	"$no_controls" | *"$no_controls" | *"$not_in_list"*) ;;
	*) problem="cut to $cut bytes: $got" ;;
	esac
	cut=$((cut + (cut < 2040 ? 97 : 3)))
done
is "$problem" '' '57: cut anywhere'
problem=
for seed in $(seq 60); do
	perl -e 'srand shift; local $/; $_ = <STDIN>;
		substr($_, rand length, 1) = chr rand 256 for 1 .. 200; print' \
		"$seed" <"$work/valid.cdb" >"$work/bad.cdb"
	got=$(VALIDRCPTTO_CDB=$work/bad.cdb session bob@example.org)
	case $(tr -d '\r' <"$work/replies") in
	*"$no_controls" | *"$not_in_list"* | *"$goodbye") ;;
	*) problem="$problem seed $seed: $got" ;;
	esac
done
is "$problem" '' '57: with random bytes in it'
# A slot that points behind the end: seen only by who looks there.
perl -e 'local $/; $_ = <STDIN>; my ($first) = unpack "V", $_;
	substr($_, $first) =~ s/(....)(....)/pack("a4V", $1,
		unpack("V", $2) ? 0x7fffffff : 0)/gse; print' \
	<"$work/valid.cdb" >"$work/bad.cdb"
is "$(VALIDRCPTTO_CDB=$work/bad.cdb session joe@example.org)" "$no_controls" \
	'57: damage that shows later'
like "$(cat "$work/log")" "^unable to read $work/bad.cdb: protocol error" \
	'is logged then'

# Hostile names.
dashes=$(perl -e 'print "-" x 880')
is "$(session "x$dashes@example.org")" "$not_in_list" '880 dashes'
timed session "x$dashes@example.org" "$dashes@example.org" >/dev/null
is_at_most 5000 'and they take no time to speak of'
unknown "$(perl -e 'print "x" x 880')@example.org"

# Whoever made it; of morercpthosts.cdb likewise.
printf '%s\n' more.example .wild.example | records "$work/more.records"
# made_by PROGRAM MAKER: a function that makes a cdb of records
made_by() {
	is_here "$1" "$1 makes it" || return
	"$2" "$work/records" "$work/other.cdb"
	"$2" "$work/more.records" "$CONTROLDIR/morercpthosts.cdb"
	is "$(VALIDRCPTTO_CDB=$work/other.cdb session joe-x@example.org \
		left@example.org bob@example.org x@open.example)" "250 ok
$not_in_list
$not_in_list
250 ok" "$1 makes validrcptto.cdb"
	is "$(VALIDRCPTTO_CDB='' session u@More.example u@a.Wild.example \
		u@wild.example)" "250 ok
250 ok
$not_ours" "$1 makes morercpthosts.cdb"
	rm "$CONTROLDIR/morercpthosts.cdb"
}
by_tinycdb() { cdb -c "$2" "$1"; }
by_freecdb() { cdbmake "$2" "$work/cdb.tmp" <"$1"; }
by_perl() {
	perl -MCDB_File -ne 'BEGIN { ($to) = splice @ARGV, 1;
			$make = CDB_File->new($to, "$to.tmp") or die }
		my ($length, $rest) = /^\+(\d+),\d+:(.*)$/ or next;
		my ($key, $data) = (substr($rest, 0, $length),
			substr $rest, $length + 2);
		$make->insert($key, $data);
		END { $make->finish or die }' "$1" "$2"
}
made_by cdb by_tinycdb
made_by cdbmake by_freecdb
if [ "${CI:-}" = true ] || perl -MCDB_File -e 1 2>/dev/null; then
	made_by perl by_perl
else skip 'CDB_File is not here' "Perl's CDB_File makes it"; fi
plant_user mary x
mkvalidrcptto -n -p "$tree/passwd" -c "$work/made.cdb" 2>"$work/log"
echo mail.example.com >>"$CONTROLDIR/rcpthosts"
CONTROLDIR=$tree/control mkvalidrcptto -n -p "$tree/passwd" \
	-c "$work/made.cdb" 2>"$work/log"
is "$(VALIDRCPTTO_CDB=$work/made.cdb session mary@mail.example.com \
	bob@mail.example.com)" "250 ok
$not_in_list" 'mkvalidrcptto makes it'

# A new one takes the old one's place: the next connection has it, this one not.
cp "$work/valid.cdb" "$work/live.cdb"
VALIDRCPTTO_CDB=$work/live.cdb start_tcpserver "$work/server.log" -- "$bin/smtpd"
cat >"$work/talk" <<'END'
use strict;
use warnings;
use IO::Socket::INET;
my ($port, $folder) = @ARGV;
sub start {
	my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port") or die;
	scalar <$s>;
	print $s "MAIL FROM:<>\r\n";
	scalar <$s>;
	return $s;
}
sub ask {
	my ($s, $address) = @_;
	print $s "RCPT TO:<$address>\r\n";
	return substr scalar(<$s>), 0, 3;
}
my $old = start();
print ask($old, 'bob@example.org'), "\n";
rename "$folder/next.cdb", "$folder/live.cdb" or die;
my $new = start();
print ask($old, 'bob@example.org'), ask($old, 'joe@example.org'), "\n";
print ask($new, 'bob@example.org'), ask($new, 'joe@example.org'), "\n";
END
echo bob@example.org | records "$work/next.records"
cdb -c "$work/next.cdb" "$work/next.records"
is "$(perl "$work/talk" "$port" "$work" | tr '\n' ' ')" '553 553250 250553 ' \
	'a rename is seen by the next connection'
stop "$server"

# What it costs: nothing where it is not wanted.
if can_trace 'no system call without VALIDRCPTTO_CDB'; then
	printf 'QUIT\r\n' | VALIDRCPTTO_CDB='' strace -o "$work/trace" smtpd >/dev/null
	without=$(grep -c . "$work/trace")
	printf 'QUIT\r\n' | VALIDRCPTTO_CDB=$work/valid.cdb \
		strace -o "$work/trace" smtpd >/dev/null
	with=$(grep -c . "$work/trace")
	ms=$((with - without))
	if [ $ms -le 5 ]; then ok 'five system calls with it at most'
	else not_ok 'five system calls with it at most' "$ms"; fi
	unlike "$(printf 'QUIT\r\n' | strace smtpd 2>&1 >/dev/null)" validrcptto \
		'no system call without VALIDRCPTTO_CDB'
fi

done_testing
