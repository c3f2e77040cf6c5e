#!/bin/sh
# mkauth: whose logins and hashes it finds, what it leaves out, and how auth.cdb
# takes the place of the old one.
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/tables.sh
. "$tests/tables.sh"
need cdb perl
cd "$work" || exit 1

# shellcheck disable=SC2016 # hashes, not variables
{
	six='$6$67BIH5SLXM0$653j3t0ZqGviMOrq17j3ym4'
	one='$1$QkAyMD5Gfuv$csa3tunpQIaCkZaJzE4fK.'
	two='$1$AMP3vlrE$8CRAE2qVLb4k9LfN2oUgr.'
}
# collect ARGUMENT…: what mkauth prints; its messages in errors, its exit code
# in $code
collect() {
	mkauth -p "$tree/passwd" -s "$tree/shadow" "$@" >out 2>errors
	code=$?
	cat out
}
mode_of() {
	stat -c %a "$1"
}
# secret_of FILE: of the key that no login can be
secret_of() {
	cdb -d "$1" | perl -ne 'print $1 if /^\+1,45:\0->\*(.{44})$/'
}

plant_user root "$six" 0
plant_user alias '*' 701
plant_user dovecot '!!' 97
plant_user service "$six" 999
plant_user kamran "$six" 1000
plant_user locked "!$six" 1001
plant_user nobody "$six" 65534
plant_domain example.com alias.example <<END
kamran:$one:1:0:Kamran:$tree/x:NOQUOTA
postmaster:$two:1:0:Postmaster:$tree/x:NOQUOTA:clear
closed:$two:1:2048:Closed to SMTP:$tree/x:NOQUOTA
bounce:$two:1:16:Bounces:$tree/x:NOQUOTA
END
finish_assign

collect >/dev/null
is "$code $(cat errors)" '0 ' 'collected without a word'
cat >wanted <<END
bounce@alias.example $two
bounce@example.com $two
kamran $six
kamran@alias.example $one
kamran@example.com $one
kamran@mail.example.com $six
postmaster@alias.example $two
postmaster@example.com $two
END
same_file out wanted 'a login and its hash a line, sorted; users and mailboxes, by alias domains too'

collect -a >/dev/null
cat >wanted <<END
alias *
alias@mail.example.com *
bounce@alias.example $two
bounce@example.com $two
closed@alias.example $two
closed@example.com $two
dovecot !!
dovecot@mail.example.com !!
kamran $six
kamran@alias.example $one
kamran@example.com $one
kamran@mail.example.com $six
locked !$six
locked@mail.example.com !$six
nobody $six
nobody@mail.example.com $six
postmaster@alias.example $two
postmaster@example.com $two
service $six
service@mail.example.com $six
END
same_file out wanted '-a: those of the system and the locked ones too, but not root'
is "$(collect -u 999 | grep -c ^service)" 2 '-u says whose accounts are users'

# The table.
umask 000
collect -c auth.cdb >/dev/null
is "$code $(cat out errors) $(mode_of auth.cdb)" '0  640' '-c makes a table that others cannot read'
is "$(cdb -l auth.cdb | grep -c :) $(cdb -q auth.cdb kamran@example.com)" "9 $one" \
	'in which a login is found'
cdb -d auth.cdb | sed '1d; /^$/d; s/^+[0-9,]*:\([^>]*\)->/\1 /' >listed
collect >/dev/null
same_file listed out 'with the same records in the same order, behind the secret'
like "$(secret_of auth.cdb)" '^[A-Za-z0-9+/]{43}=$' 'the secret'
readers_agree auth.cdb 'auth.cdb'
cp auth.cdb first.cdb
collect -c auth.cdb >/dev/null
same_file auth.cdb first.cdb 'and the same bytes the next time'
is "$(find . -name '.auth.cdb*')" '' 'nothing is left beside it'
umask 022

# The secret.
collect -c other.cdb >/dev/null
unlike "$(secret_of other.cdb)" "$(secret_of auth.cdb | sed 's/[+]/\\+/g')" 'another table has another secret'
CDB_REFRESH_TABLE=auth.cdb collect -c other.cdb >/dev/null
is "$(secret_of other.cdb)" "$(secret_of auth.cdb)" 'unless it takes the place of the first one'
echo "$six" >other.cdb
collect -c other.cdb >/dev/null
like "$code $(secret_of other.cdb)" '^0 [^ ]{44}$' 'an old file that is no table'
printf '+1,2:\0->*x\n\n' | cdb -c other.cdb
collect -c other.cdb >/dev/null
like "$(secret_of other.cdb)" '^.{44}$' 'a secret that is none'
if is_root "somebody else's secret"; then
	cp auth.cdb other.cdb
	chown 12345 other.cdb
	collect -c other.cdb >/dev/null
	unlike "$(secret_of other.cdb)" "$(secret_of auth.cdb | sed 's/[+]/\\+/g')" \
		"somebody else's secret is not taken over"
fi
cp "$tree/users/assign" assign.kept
rm "$tree/users/assign"
collect -u 5000 -c other.cdb >/dev/null
is "$code $(cdb -l other.cdb | grep -c :)" '0 0' 'a table of nobody has no secret, either'
cp assign.kept "$tree/users/assign"

# An account with a virtual domain and with assigned names is none of vpopmail.
cp "$tree/users/assign" assign.kept
cp "$tree/control/virtualdomains" virtual.kept
echo "joe.example:joe" >>"$tree/control/virtualdomains"
echo "sneak:$one:1:0::/:" >"$tree/homes/kamran/vpasswd"
sed -i "1i+joe-:joe:$uid:$gid:$tree/homes/kamran:-::" "$tree/users/assign"
sed -i "1i+joe.example-:joe:$uid:$gid:$tree/homes/kamran:-::" "$tree/users/assign"
collect -a >/dev/null
is "$(grep sneak out)" '' 'an account cannot make itself logins'
rm "$tree/homes/kamran/vpasswd"
cp assign.kept "$tree/users/assign"
cp virtual.kept "$tree/control/virtualdomains"

# The rights of the old file, if it is ours.
chmod 600 auth.cdb
collect -c auth.cdb >/dev/null
is "$(mode_of auth.cdb)" 600 'an old file of ours keeps its mode'
chmod 666 auth.cdb
collect -c auth.cdb >/dev/null
is "$(mode_of auth.cdb)" 640 'but never one that others may read or write by'
echo untouched >elsewhere
ln -sf elsewhere link.cdb
collect -c link.cdb >/dev/null
is "$code $(cat elsewhere) $(test -L link.cdb || echo file)" '0 untouched file' \
	'a symbolic link is replaced, not followed'
if is_root 'groups'; then
	echo "qmaild:x:702:4321::/:/bin/true" >>"$tree/passwd"
	collect -c new.cdb >/dev/null
	is "$(stat -c %u:%g new.cdb)" 0:4321 "a new file is for qmaild's group"
	collect -c new.cdb -g 4322 >/dev/null
	is "$(stat -c %g new.cdb)" 4322 '-g says another'
	collect -c new.cdb >/dev/null
	is "$(stat -c %g new.cdb)" 4322 'which the next one keeps'
	chown 12345:4323 new.cdb
	chmod 666 new.cdb
	collect -c new.cdb >/dev/null
	is "$(stat -c %u:%g:%a new.cdb)" 0:4321:640 \
		"somebody else's file says nothing about who may read"
fi
if is_user 'a group that cannot be given'; then
	collect -c new.cdb -g 1 >/dev/null
	is "$code $(cat errors) $(find . -name '*new.cdb*')" \
		'111 mkauth: fatal: unable to write new.cdb: permission denied ' \
		'a group that cannot be given'
fi
collect -c new.cdb -g no-such-group >/dev/null
is "$code $(cat errors)" '100 mkauth: fatal: there is no group no-such-group' 'a group that is not there'

# What a login needs and what it may not have.
cp "$tree/passwd" passwd.kept
cp "$tree/shadow" shadow.kept
cp "$tree/users/assign" assign.kept
plant_user empty '' 1002
plant_user comma 'ab,DATABYTES="0"cdefgh' 1003
plant_user short x 1004
plant_user gone "$one" 1005
sed -i 's/^\(gone:.*\):::$/\1::19000:/' "$tree/shadow"
echo "direct:$two:1006:1::/:/bin/sh" >>"$tree/passwd"
printf 'strange\033[2J:%s:1007:1::/:/bin/sh\n' "$two" >>"$tree/passwd"
printf '+nis\n-nis:x:1008:1::/:\nhalf:x:1\nno:x:id:1::/:/bin/sh\n\n#c:x:1:1:::\n' >>"$tree/passwd"
rm "$tree/users/assign"
collect >/dev/null
is "$(grep -v mail.example.com out)" "direct $two
gone $one,PASSWORD_EXPIRES=\"1641600000\"
kamran $six" 'an empty password is none; a closed account says since when'
is "$code $(cat errors)" '0 mkauth: warning: left out empty: its password is empty
mkauth: warning: left out comma: its bytes are not fit for a table
mkauth: warning: left out comma@mail.example.com: its bytes are not fit for a table
mkauth: warning: left out strange?[2J: its bytes are not fit for a table
mkauth: warning: left out strange?[2J@mail.example.com: its bytes are not fit for a table' \
	'what is left out is named'
collect -a >/dev/null
is "$(grep -c '^empty' out)" 0 'an empty password is none with -a as well'
cp passwd.kept "$tree/passwd"
cp shadow.kept "$tree/shadow"
cp assign.kept "$tree/users/assign"

# Control files.
cat >"$tree/control/authusers" <<END
# those that are in no other file
robot $two,DATABYTES="1000000"
kamran@example.com  $two
END
cat >"$tree/control/authsettings" <<END
postmaster@example.com VALIDRCPTTO_LOG="2",X=""
kamran DATABYTES="0"
END
collect >/dev/null
is "$(grep -E '^(robot|kamran@example.com|postmaster@example.com|kamran) ' out)" "kamran $six,DATABYTES=\"0\"
kamran@example.com $two
postmaster@example.com $two,VALIDRCPTTO_LOG=\"2\",X=\"\"
robot $two,DATABYTES=\"1000000\"" 'settings of logins, and more logins'
is "$code $(cat errors)" '0 mkauth: warning: more than one password for kamran@example.com: that of control/authusers counts, then vpopmail'"'"'s' \
	'a login with two passwords is worth a warning'
for line in 'x' 'x A' 'x A=' 'x A="' 'x A="b' 'x A="b",' 'x A="b" ' 'x A="b";C="d"' 'x 1="b"' 'x ="b"' 'x A="b",,C="d"'; do
	echo "$line" >"$tree/control/authsettings"
	collect -c other.cdb >/dev/null
	# A blank at the end is no part of a line of a control file.
	if [ "$line" = 'x A="b" ' ]; then wanted='0 '
	else wanted='100 mkauth: fatal: control/authsettings: wrong line for x'; fi
	is "$code $(grep -v 'more than one' errors)" "$wanted" "authsettings: $line"
done
rm "$tree/control/authsettings"
for line in x 'x a,b' 'x a,A="b' 'x a b'; do
	echo "$line" >"$tree/control/authusers"
	collect >/dev/null
	is "$code $(cat errors)" '100 mkauth: fatal: control/authusers: wrong line for x' "authusers: $line"
done
rm "$tree/control/authusers"

# vpopmail with a database: its programs are asked.
mv "$tree/vpopmail/domains/example.com/vpasswd" vpasswd.kept
collect >/dev/null
is "$code $(cut -d ' ' -f 1 out | tr '\n' ' ')" '0 kamran kamran@mail.example.com ' \
	'a folder without vpasswd is no domain of vpopmail'
mkdir -p "$tree/vpopmail/bin"
cat >"$tree/vpopmail/bin/vuserinfo" <<END
#!/bin/sh
echo "\$* \$(id -u)" >&2
[ "\$3" = example.com ] || exit 1
[ ! -f "$tree/broken" ] || exit 3
cat "$tree/answer"
END
chmod 755 "$tree/vpopmail/bin/vuserinfo" "$work" "$tree"
chmod -R a+rX "$tree/vpopmail"
printf '%s\n' kamran "$one" 0 closed "$two" 2048 locked '!!' 0 >"$tree/answer"
collect >/dev/null
is "$(grep 'e.com\|alias' out)" "kamran@alias.example $one
kamran@example.com $one
kamran@mail.example.com $six" 'vuserinfo is asked'
is "$(sort -u errors)" "-npg -D example.com $uid" \
	'by the user whom the folder belongs to, for the fields that count'
for answer in 'no such domain' 'kamran\nx\nno-number' 'a\nb\n0\nc'; do
	# shellcheck disable=SC2059 # with its escapes
	printf "$answer\n" >"$tree/answer"
	collect -c auth.cdb >/dev/null
	is "$code $(tail -n 1 errors)" '111 mkauth: fatal: unable to read the mailboxes of example.com: protocol error' \
		"an answer that is none: $answer"
done
: >"$tree/broken"
collect -c auth.cdb >/dev/null
is "$code $(tail -n 1 errors)" '111 mkauth: fatal: unable to read the mailboxes of example.com: protocol error' \
	'vuserinfo fails'
if is_root 'never as root'; then
	sed -i 's/:12345:12345:/:0:0:/' "$tree/users/assign"
	collect -c auth.cdb >/dev/null
	is "$code $(tail -n 1 errors)" '111 mkauth: fatal: unable to read the mailboxes of example.com: permission denied' \
		'a program of vpopmail never runs as root'
	cp assign.kept "$tree/users/assign"
fi
same_file auth.cdb first.cdb 'the old table has stayed through all of it'
mv vpasswd.kept "$tree/vpopmail/domains/example.com/vpasswd"

# What cannot be read or written.
collect -p none >/dev/null
is "$code $(cat errors)" '111 mkauth: fatal: unable to read none: file does not exist' 'no passwd'
rm "$tree/shadow"
mkdir "$tree/shadow"
collect >/dev/null
is "$code $(cat errors)" "111 mkauth: fatal: unable to read $tree/shadow: is a directory" 'no shadow that can be read'
rmdir "$tree/shadow"
cp shadow.kept "$tree/shadow"
collect -c none/auth.cdb >/dev/null
is "$code $(cat errors)" '111 mkauth: fatal: unable to write none/auth.cdb: file does not exist' 'no folder'
mkauth -p "$tree/passwd" -s "$tree/shadow" >/dev/full 2>errors
is "$? $(cat errors)" '111 mkauth: fatal: unable to write output: out of disk space' 'no room for the output'
if can_trace 'faults of the disk'; then
	for call in write pwrite64 fsync fchmod rename; do
		strace -f -o trace -e "inject=$call:error=ENOSPC:when=1" \
			mkauth -p "$tree/passwd" -s "$tree/shadow" -c auth.cdb 2>errors
		is "$? $(tail -n 1 errors) $(find . -name '.auth.cdb*')" \
			'111 mkauth: fatal: unable to write auth.cdb: out of disk space ' \
			"$call fails: nothing is left beside"
		same_file auth.cdb first.cdb "$call fails: the old table stays"
	done
	for call in write pwrite64 fchmod fsync rename close; do
		cp first.cdb auth.cdb
		echo "more:$one:2000:1::/:/bin/sh" >>"$tree/passwd"
		(strace -f -o trace -e "inject=$call:signal=KILL:when=1" \
			mkauth -p "$tree/passwd" -s "$tree/shadow" -c auth.cdb
			:) 2>/dev/null
		like "$(cdb -l auth.cdb | grep -c :)" '^(9|11)$' \
			"killed at $call: the old table, or the new one"
		cp passwd.kept "$tree/passwd"
		cp first.cdb auth.cdb
		rm -f .auth.cdb.*
	done
	strace -f -o trace -e inject=fsync:signal=TERM:when=1 \
		mkauth -p "$tree/passwd" -s "$tree/shadow" -c auth.cdb 2>errors
	is "$? $(find . -name '.auth.cdb*')" '143 ' 'a signal: nothing is left beside'
	strace -f -o trace -e trace=fsync,rename,fchmod,fchown,open,openat \
		mkauth -p "$tree/passwd" -s "$tree/shadow" -c auth.cdb
	# Whether a group is given depends on who runs this.
	is "$(grep -A 9 O_EXCL trace | sed -n 's/^[0-9]* *\([a-z]*\)(.*= [0-9]*$/\1/p' |
		sed 's/openat/open/; /fchown/d' | tr '\n' ' ')" \
		'open fchmod fsync rename open fsync ' \
		'rights before the flush, the flush before the name, then the folder'
fi
mkauth too many 2>errors
is "$? $(cat errors)" '100 mkauth: usage: mkauth [ -an ] [ -c auth.cdb ] [ -g group ] [ -u uid ] [ -q home ] [ -p passwd ] [ -s shadow ]' 'wrong use'

# Many.
perl -e 'for (1 .. 100000) { $n = ($_ * 7919) % 100000; print "user$n:\$1\$abcdefgh\$0123456789abcdef$n:1:0:U:/x:NOQUOTA\n" }' \
	>"$tree/vpopmail/domains/example.com/vpasswd"
collect -c many.cdb >/dev/null
is "$code $(cat errors) $(cdb -l many.cdb | grep -c :)" '0  200003' 'many mailboxes'
is "$(cdb -l many.cdb | sed -n 's/^+[0-9]*://p' | sort -c 2>&1)" '' 'in their order'
# shellcheck disable=SC2016 # a hash
is "$(cdb -q many.cdb user31415@example.com)" '$1$abcdefgh$0123456789abcdef31415' 'each with its own hash'
done_testing
