#!/bin/sh
# cdb-refresh: tables are put in place when they have changed, whole or not at
# all, and nothing else happens.
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/tables.sh
. "$tests/tables.sh"
need cdb perl
cd "$work" || exit 1
auth=$tree/control/auth.cdb
valid=$tree/control/validrcptto.cdb

# The programs with the planted files for /etc/passwd and /etc/shadow.
for name in mkauth mkvalidrcptto; do
	shadow=
	[ $name != mkauth ] || shadow="-s $tree/shadow"
	printf '#!/bin/sh\nexec %s -p %s %s "$@"\n' "$bin/$name" "$tree/passwd" \
		"$shadow" >"$name"
	chmod 755 "$name"
done
MKAUTH=$work/mkauth
MKVRCPT=$work/mkvalidrcptto
export MKAUTH MKVRCPT
refresh() {
	cdb-refresh "$@" >out 2>errors
	code=$?
}
# said: its exit code and all that it said, in one line
said() {
	echo "$code $(cat out errors | tr '\n' ' ')"
}
inode() {
	stat -c %i "$1"
}
# nothing_is_left NAME: beside the tables
nothing_is_left() {
	is "$(find "$tree" "$work" -name '.*cdb*' | tr '\n' ' ')" '' "nothing is left beside: $1"
}

hash=123456789abcdef
plant_domain example.com <<END
joe:$hash:1:0:Joe:/x:NOQUOTA
END
finish_assign
refresh
is "$(said)" '100 cdb-refresh: fatal: there is no table yet: make auth.cdb or validrcptto.cdb once by hand ' \
	'without a table there is nothing to do'

# One table, then both.
: >"$valid"
refresh -v
is "$(said)" "0 $valid: 1 added, 0 changed, 0 removed " 'only the table that is there is made'
"$MKAUTH" -c "$auth"
refresh -v
is "$(said)" "0 $valid: no changes $auth: no changes " 'nothing has changed'
before="$(inode "$valid") $(inode "$auth")"
refresh
is "$(said)" '0 ' 'and nothing is said without -v'
is "$(inode "$valid") $(inode "$auth")" "$before" 'the files are the same ones'
cat >>"$tree/vpopmail/domains/example.com/vpasswd" <<END
ann:$hash:1:0:Ann:/x:NOQUOTA
END
sed -i "s/^joe:$hash/joe:f$hash/" "$tree/vpopmail/domains/example.com/vpasswd"
exec 5<"$auth"
refresh -v
is "$(said)" "0 $valid: 1 added, 0 changed, 0 removed $auth: 1 added, 1 changed, 0 removed " \
	'what has changed is counted'
is "$(cdb -q "$auth" joe@example.com) $(cdb -q "$auth" ann@example.com)" "f$hash $hash" 'and found'
cat <&5 >old.cdb
is "$(cdb -q old.cdb joe@example.com)" "$hash" 'who had opened the old table reads on in it'
exec 5<&-
nothing_is_left 'changes'
sed -i '/^joe/d' "$tree/vpopmail/domains/example.com/vpasswd"
refresh -v
is "$(said)" "0 $valid: 0 added, 0 changed, 1 removed $auth: 0 added, 0 changed, 1 removed " 'as is who is gone'

# Rights.
chmod 600 "$auth"
chmod 644 "$valid"
echo "max:$hash:1:0:Max:/x:NOQUOTA" >>"$tree/vpopmail/domains/example.com/vpasswd"
umask 000
refresh
is "$(stat -c %a "$auth" "$valid" | tr '\n' ' ')" '600 644 ' 'the rights stay'
chmod 644 "$auth"
echo "mia:$hash:1:0:Mia:/x:NOQUOTA" >>"$tree/vpopmail/domains/example.com/vpasswd"
refresh
is "$(stat -c %a "$auth" "$valid" | tr '\n' ' ')" '640 644 ' 'but passwords are never for all to read'
if is_root 'groups'; then
	chgrp 4321 "$auth"
	echo "eve:$hash:1:0:Eve:/x:NOQUOTA" >>"$tree/vpopmail/domains/example.com/vpasswd"
	refresh
	is "$(stat -c %g:%a "$auth")" 4321:640 'the group stays'
fi

# What goes wrong with one table leaves it, and the other one is made.
cp "$valid" valid.kept
cp "$auth" auth.kept
: >"$tree/control/authsettings"
mv "$tree/control/me" me.kept
mkdir "$tree/control/me"
refresh
is "$code $(tail -n 1 errors)" "111 cdb-refresh: warning: $auth is left as it was: $MKAUTH ended with 111" \
	'its maker fails'
same_file "$auth" auth.kept 'the table stays'
rmdir "$tree/control/me"
mv me.kept "$tree/control/me"
nothing_is_left 'a maker that fails'

# maker NAME: a script that is standard input; $2 is the file
maker() {
	{
		echo '#!/bin/sh'
		cat
	} >"$1"
	chmod 755 "$1"
}
maker none <<'END'
exit 0
END
maker garbage <<'END'
echo no table >"$2"
END
maker empty <<'END'
echo | cdb -c "$2"
END
maker killed <<'END'
kill -KILL $$
END
maker slow <<'END'
exec sleep 1000
END
maker half <<'END'
head -c 2100 "$0.cdb" >"$2"
END
cp "$auth" half.cdb
maker litter <<'END'
cp "$0.cdb" "$2.tmp"; mkdir -p "${2%/*}"; exit 3
END
cp "$auth" litter.cdb
while read -r name message; do
	MKAUTH=$work/$name refresh -t 1
	case $message in
	:*) message=$auth$message ;;
	*) message="$auth $message" ;;
	esac
	is "$code $(tail -n 1 errors)" "111 cdb-refresh: warning: $message" "maker: $name"
	same_file "$auth" auth.kept "maker: $name: the old table stays"
	nothing_is_left "maker: $name"
done <<END
none : unable to open the new one: file does not exist
garbage : unable to read the new one: protocol error
half : unable to read the new one: protocol error
empty  is left as it was: of $(cdb -l auth.kept | grep -c :) records 0 would be left (-f does it)
killed  is left as it was: $work/killed was killed by signal 9
slow : unable to wait for its maker: timed out
litter  is left as it was: $work/litter ended with 3
missing  is left as it was: $work/missing ended with 111
END
MKAUTH=$work/empty refresh -fv
is "$code $(cdb -l "$auth" | grep -c :)" '0 0' '-f puts an empty one in place'

# Its own table and maker; old makers of others want no file to be there.
maker perl-like <<'END'
[ ! -e "$4" ] || exit 1
[ "$1 $2 $3" = '-x a b -c' ] || exit 2
perl -e 'print map { "+4,0:n$_->\n" } 100 .. 129; print "\n"' | cdb -c "$4"
END
refresh -v own.cdb ./perl-like -x 'a b'
is "$(said)" '0 own.cdb: 30 added, 0 changed, 0 removed ' 'a table of its own, made by another program'
sed -i 's/100/110/' perl-like
refresh own.cdb ./perl-like -x 'a b'
is "$code $(cdb -l own.cdb | grep -c :)" '0 20' 'a third may go'
sed -i 's/110/121/' perl-like
refresh own.cdb ./perl-like -x 'a b'
is "$(said)" '111 cdb-refresh: warning: own.cdb is left as it was: of 20 records 9 would be left (-f does it) ' \
	'more than half may not'
refresh -f own.cdb ./perl-like -x 'a b'
is "$code $(cdb -l own.cdb | grep -c :)" '0 9' 'unless it is wanted'
sed -i 's/121/128/' perl-like
refresh own.cdb ./perl-like -x 'a b'
is "$code $(cdb -l own.cdb | grep -c :)" '0 2' 'a few may go at any time'
echo broken >own.cdb
refresh -v own.cdb ./perl-like -x 'a b'
is "$(said)" '0 own.cdb: 2 added, 0 changed, 0 removed ' 'an old table that is none is replaced'
rm own.cdb
ln -s elsewhere own.cdb
echo untouched >elsewhere
refresh own.cdb ./perl-like -x 'a b'
is "$code $(cat elsewhere)" '0 untouched' 'a symbolic link is replaced, not followed'

# Tables that others make.
maker freecdb <<'END'
printf '+1,1:a->b\n+1,1:c->d\n\n' | cdbmake "$2" "$2.tmp"
END
maker perl <<'END'
exec perl -MCDB_File -e 'my %h = (a => "b", c => "e");
	CDB_File::create(%h, $ARGV[1], "$ARGV[1].tmp") or die' -- "$@"
END
rm own.cdb
if is_here cdbmake "freecdb's cdbmake"; then
	refresh -v own.cdb ./freecdb
	is "$(said)" '0 own.cdb: 2 added, 0 changed, 0 removed ' "freecdb's cdbmake"
fi
if [ "${CI:-}" = true ] || perl -MCDB_File -e 1 2>/dev/null; then
	printf '+1,1:a->b\n+1,1:c->d\n\n' | cdb -c own.cdb
	refresh -v own.cdb ./perl
	is "$(said)" '0 own.cdb: 0 added, 1 changed, 0 removed ' "Perl's CDB_File"
else
	skip 'CDB_File is not here' "Perl's CDB_File"
fi

# A reader that opens the table again and again.
maker turns <<'END'
printf '+4,0:stay\n+%d,1:%d->x\n\n' ${#turn} "$turn" | sed '1s/$/->/' | cdb -c "$2"
END
turn=0 cdb-refresh own.cdb ./turns
(
	turn=0
	while [ $turn -lt 40 ]; do
		turn=$((turn + 1))
		export turn
		cdb-refresh own.cdb ./turns || echo failed >>writer
	done
	: >last
) 2>>writer &
writer=$!
started="$started $writer"
missing=0
until [ -f last ]; do
	cdb -q own.cdb stay || missing=$((missing + 1))
done
wait "$writer"
is "$missing $(cat writer) $(cdb -q own.cdb 40)" '0  x' 'a reader finds what is in all of them at all times'

# Another run, and one that was killed.
maker waits <<'END'
exec 3>&-
echo started >started
while [ ! -f go ]; do sleep 0.05; done
echo | cdb -c "$2"
END
rm own.cdb
cdb-refresh own.cdb ./waits 2>/dev/null &
first=$!
started="$started $first"
wait_until test -f started
refresh -v own.cdb ./empty
is "$(said)" '0 own.cdb: another run is under way ' 'a second run lets the first one work'
: >go
wait "$first"
is "$? $(cdb -l own.cdb | grep -c :)" '0 0' 'which it does'
rm -f started go
cdb-refresh own.cdb ./waits 2>/dev/null &
first=$!
started="$started $first"
wait_until test -f started
kill -KILL "$first"
wait "$first" 2>/dev/null
is "$(find . -name '.cdb-refresh.*' | grep -c .)" 1 'a run that is killed leaves its folder'
: >go
wait_until sh -c 'find . -path "./.cdb-refresh.*/table.cdb" | grep -q .'
refresh own.cdb ./empty
is "$code" 0 'the next one works all the same'
nothing_is_left 'after the next run'

# Where it cannot work.
refresh nowhere/own.cdb ./empty
is "$(said)" '111 cdb-refresh: warning: nowhere/own.cdb: unable to lock its folder: file does not exist ' 'no folder'
if can_trace 'faults of the disk'; then
	cp own.cdb own.kept
	maker other <<'END'
printf '+1,1:a->b\n\n' | cdb -c "$2"
END
	for call in fsync rename fchmod mkdir; do
		strace -o trace -e "inject=$call:error=EIO:when=1" \
			cdb-refresh own.cdb ./other 2>errors
		is "$? $(grep -c 'input/output error' errors)" '111 1' "$call fails"
		same_file own.cdb own.kept "$call fails: the old table stays"
		nothing_is_left "$call fails"
	done
	strace -o trace -e trace=fchmod,fsync,rename cdb-refresh own.cdb ./other
	is "$(sed -n 's/^\([a-z]*\)(.*= 0$/\1/p' trace | tr '\n' ' ')" 'fchmod fsync rename fsync ' \
		'rights, the flush, the name, the folder'
fi
for arguments in '-x' 'own.cdb' '-t 0'; do
	# shellcheck disable=SC2086 # several words
	refresh $arguments
	is "$code $(tail -n 1 errors)" '100 cdb-refresh: usage: cdb-refresh [ -fv ] [ -t seconds ] [ -q home ] [ table.cdb program [ argument ... ] ]' \
		"wrong use: $arguments"
done
unset MKAUTH MKVRCPT VQ
AUTHFILE=$work/a.cdb VRCPTFILE=$work/v.cdb cdb-refresh -q "$tree" 2>errors
is "$? $(cat errors)" '100 cdb-refresh: fatal: there is no table yet: make auth.cdb or validrcptto.cdb once by hand' \
	'AUTHFILE and VRCPTFILE say where they are'
: >"$work/v.cdb"
echo example.org >"$tree/control/locals"
echo 'x@example.org' >"$tree/control/validrcptto"
# The machine's own users may have homes that are closed to us.
AUTHFILE=$work/a.cdb VRCPTFILE=$work/v.cdb cdb-refresh -q "$tree" 2>errors
is "$? $(grep -v 'its home cannot be read' errors) $(cdb -q "$work/v.cdb" x@example.org)" '0  ' \
	'the makers are those beside it'
done_testing
