#!/bin/sh
# jgreylist-clean: whom it removes, each row with planted times; what it leaves
# alone, what it refuses, and what it says.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"

unset JGREYLIST_DIR JGREYLIST_HOLDTIME
tree=$work/tree
minute=60
day=86400
now=$(date +%s)
usage='jgreylist-clean: usage: jgreylist-clean [ -nv ] [ -o seconds ] [ -k seconds ] [ folder ]'

# run ARGUMENT…: output in $out, exit code in $code, messages in $log.
run() {
	code=0
	jgreylist-clean "$@" >"$work/out" 2>"$work/log" </dev/null || code=$?
	out=$(cat "$work/out")
	log=$(cat "$work/log")
}
# plant ENTRY FIRST LAST: contacts that long ago, in seconds
plant() {
	mkdir -p "$tree/${1%/*}"
	touch -m -d "@$((now - $2))" "$tree/$1"
	touch -a -d "@$((now - $3))" "$tree/$1"
}
fresh() {
	rm -rf "$tree"
	mkdir -m 700 "$tree"
}
# The files, folders and links that are there, by name.
names() {
	(cd "$tree" && find . -mindepth 1 | sed 's,^\./,,' | sort | tr '\n' ' ')
}
files() {
	(cd "$tree" && find . -type f | sed 's,^\./,,' | sort | tr '\n' ' ')
}
# row NAME GONE|KEPT FIRST LAST [ARGUMENT…]: what becomes of one entry
row() {
	row_name=$1
	row_wanted=$2
	fresh
	plant 192/000/002 "$3" "$4"
	shift 4
	run "$@" "$tree"
	if [ -e "$tree/192/000/002" ]; then got=KEPT; else got=GONE; fi
	is "$code $got $out$log" "0 $row_wanted " "$row_name"
}

# --- the rules
row 'came once, two days ago less a minute: kept' \
	KEPT $((2 * day - minute)) $((2 * day - minute))
row 'came once, two days and a minute ago: removed' \
	GONE $((2 * day + minute)) $((2 * day + minute))
row 'came again too soon, and never since: removed' \
	GONE $((3 * day)) $((3 * day - 119))
row 'came back when the hold time was just over: kept' \
	KEPT $((3 * day)) $((3 * day - 120))
row 'known, last seen 36 days ago less a minute: kept' \
	KEPT $((90 * day)) $((36 * day - minute))
row 'known, not seen for 36 days and a minute: removed' \
	GONE $((90 * day)) $((36 * day + minute))
row '-o 3600: came once, an hour and a minute ago: removed' \
	GONE $((61 * minute)) $((61 * minute)) -o 3600
row '-o 3600: came once, 59 minutes ago: kept' \
	KEPT $((59 * minute)) $((59 * minute)) -o 3600
row '-k 86400: known, not seen for a day and a minute: removed' \
	GONE $((9 * day)) $((day + minute)) -k 86400
row '-k 86400: known, seen less than a day ago: kept' \
	KEPT $((9 * day)) $((day - minute)) -k 86400
row '-o 0: also one of this minute' GONE $minute $minute -o 0
export JGREYLIST_HOLDTIME=600
row 'JGREYLIST_HOLDTIME=600: five minutes are too soon: removed' \
	GONE $((3 * day)) $((3 * day - 300))
export JGREYLIST_HOLDTIME=0
row 'JGREYLIST_HOLDTIME=0: once is enough: kept' KEPT $((3 * day)) $((3 * day))
row 'JGREYLIST_HOLDTIME=0: until it is not seen any more' \
	GONE $((37 * day)) $((37 * day))
unset JGREYLIST_HOLDTIME

fresh
plant 010/000/001 $((3 * day)) $((-day))
plant 010/000/002 $((-day)) $((40 * day))
plant 010/000/003 $((-day)) $((-day))
run "$tree"
is "$(files)" '010/000/001 010/000/002 010/000/003 ' 'times in the future: kept'
is "$code $out$log" '0 jgreylist-clean: warning: 3 with a time in the future kept: was the clock wrong?' \
	'and told once'

# --- every kind of entry, and the folders
fresh
old=$((3 * day))
for entry in 001/002/003 001/002/004/005 001/006/007 009/009/009 \
	2001/0db800010002 2001/0db800010003 2001/0db800010002-0000000000000003 \
	2a00/000000000001; do
	plant $entry $old $old
done
plant 001/006/008 60 60
plant 2001/0db800010003 60 60
run -v "$tree"
is "$(names)" '001 001/006 001/006/008 2001 2001/0db800010003 ' \
	'each kind of entry goes, and the folders that are empty then'
is "$(sed '$d' "$work/out" | sort)" 'kept 001/006/008
kept 2001/0db800010003
removed 001/002/003: never returned
removed 001/002/004/005: never returned
removed 001/006/007: never returned
removed 009/009/009: never returned
removed 2001/0db800010002-0000000000000003: never returned
removed 2001/0db800010002: never returned
removed 2a00/000000000001: never returned' '-v: each entry'
is "$code $(tail -n 1 "$work/out")$log" \
	'0 looked at 9, removed 7 never returned, 0 not seen, kept 2' \
	'and the numbers'
plant 001/006/009 $((50 * day)) $((40 * day))
run -v "$tree"
is "$(tail -n 1 "$work/out")" \
	'looked at 3, removed 0 never returned, 1 not seen, kept 2' \
	'known ones are counted apart'

fresh
plant 001/002/003 $old $old
run "$tree"
is "$code $(names)" '0 ' 'the last one goes with its folders, and not the folder itself'
is "$(find "$tree" -maxdepth 0 -printf '%m')" 700 'which is as it was'
run -v "$tree"
is "$code $out$log" '0 looked at 0, removed 0 never returned, 0 not seen, kept 0' \
	'an empty folder: nothing to do'

fresh
plant 001/002/003 60 60
mkdir -p "$tree/004/005" "$tree/006/007" "$tree/2002"
touch -d "@$((now - 120))" "$tree/004/005" "$tree/004"
run "$tree"
is "$code $(names)" '0 001 001/002 001/002/003 006 006/007 2002 ' \
	'an empty folder goes when it is a minute old, since jgreylist may be about to use it'

# --- -n
fresh
plant 001/002/003 $old $old
plant 001/002/004 $((50 * day)) $((40 * day))
plant 001/002/005 60 60
mkdir "$tree/077"
touch -d "@$((now - 120))" "$tree/077"
(cd "$tree" && find . -printf '%P %T@ %A@ %m\n' | sort) >"$work/before"
run -n "$tree"
(cd "$tree" && find . -printf '%P %T@ %A@ %m\n' | sort) >"$work/after"
is "$code $log$(sort "$work/out")" '0 would remove 001/002/003: never returned
would remove 001/002/004: not seen' '-n: what would go'
grep -Ev '^(077|001|001/002|) ' "$work/before" >"$work/entries-before"
grep -Ev '^(077|001|001/002|) ' "$work/after" >"$work/entries-after"
same_file "$work/entries-after" "$work/entries-before" 'and nothing is changed'
is "$(cut -d' ' -f1 "$work/after")" "$(cut -d' ' -f1 "$work/before")" 'nor a folder'
run -nv "$tree"
is "$(tail -n 1 "$work/out")" \
	'looked at 3, would remove 1 never returned, 1 not seen, kept 1' '-nv: the numbers too'
is "$(grep -c '^kept 001/002/005$' "$work/out")" 1 'and what stays'

# --- what is not of the shape
fresh
mkdir "$work/etc"
touch -d "@$((now - old))" "$work/etc/passwd" "$work/etc/003"
mkdir "$work/etc/002"
touch -d "@$((now - old))" "$work/etc/002/003"
plant 001/002/003 $old $old
plant 001/002/README $old $old
plant 001/002/256 $old $old
plant 001/002/03 $old $old
plant 001/300/003 $old $old
plant 1/2/3 $old $old
plant 2001.000/db8/001 $old $old
plant 2001/0DB800010002 $old $old
plant 2001/0db80001000 $old $old
plant 2001/0db800010002-3 $old $old
plant 005/006/007/008/009 $old $old
touch -d "@$((now - old))" "$tree/008"
echo text >"$tree/001/002/010"
touch -d "@$((now - old))" "$tree/001/002/010"
mkfifo "$tree/001/002/011"
ln -s "$work/etc" "$tree/003"
ln -s "$work/etc/002" "$tree/001/004"
ln -s "$work/etc/passwd" "$tree/001/002/012"
touch -d "@$((now - old))" "$tree/$(printf 'a\nb\033[31m\377')"
mkdir -p "$tree/lost+found/001/002"
names >"$work/before"
run "$tree"
names | sed 's, *$, ,' >"$work/after"
sed 's, 001/002/003 , ,' "$work/before" >"$work/wanted"
same_file "$work/after" "$work/wanted" 'strange names, types and links are left alone'
is "$(find "$work/etc" | wc -l)" 5 'and what a link points to'
is "$code $out" '0 ' 'that is no failure'
left="jgreylist-clean: warning: left alone: $tree"
is "$(sort "$work/log")" "$(sort <<END
$left/001/002/010: not empty
$left/001/002/011: not a file
$left/001/002/012: a symbolic link
$left/001/002/03: not a name of a greylist
$left/001/002/256: not a name of a greylist
$left/001/002/README: not a name of a greylist
$left/001/004: a symbolic link
$left/001/300: not a name of a greylist
$left/003: a symbolic link
$left/005/006/007/008: not a file
$left/008: not a folder
$left/1: not a name of a greylist
$left/2001.000: not a name of a greylist
$left/2001/0DB800010002: not a name of a greylist
$left/2001/0db80001000: not a name of a greylist
$left/2001/0db800010002-3: not a name of a greylist
$left/a?b?[31m?: not a name of a greylist
END
)" 'each one is named, in one printable line'

fresh
plant 001/002/003 60 60
i=0
while [ $i -lt 60 ]; do
	: >"$tree/strange$i"
	i=$((i + 1))
done
run "$tree"
is "$(grep -c 'left alone' "$work/log") $(tail -n 1 "$work/log")" \
	'50 jgreylist-clean: warning: 10 more were not named' 'fifty are enough'

# --- a folder that is no greylist
refused() {
	run "$1"
	is "$code $out$log" "100 jgreylist-clean: fatal: $2" "$3"
}
refused / '/ is the root folder' 'the root folder: refused'
refused /../ '/../ is the root folder' 'in any spelling'
ln -s / "$work/slash"
refused "$work/slash" "$work/slash is the root folder" 'also by a link'
mkdir -p "$work/home/mail/new"
refused "$work/home" "$work/home is no greylist: it has other things and no entry" \
	'a folder with other things and no entry: refused'
mkdir -p "$work/home/001/002" "$work/home/2001"
touch -d "@$((now - old))" "$work/home/001/002" "$work/home/001" "$work/home/2001"
refused "$work/home" "$work/home is no greylist: it has other things and no entry" \
	'folders of the shape alone do not count'
is "$(find "$work/home" | wc -l)" 6 'and nothing of it is gone'
mkdir -p "$work/fresh/lost+found"
run "$work/fresh"
is "$code $out$log" '0 ' "a file system's own folder is no other thing"

# --- which folder
fresh
plant 001/002/003 $old $old
JGREYLIST_DIR=$tree run
is "$code $(names)" '0 ' 'JGREYLIST_DIR'
plant 001/002/003 $old $old
ln -s "$tree" "$work/link"
JGREYLIST_DIR=$work/absent run "$work/link"
is "$code $(names)" '0 ' 'the argument is stronger, and may be a symbolic link'
home=$(head -n 1 "$top/conf-home")
if [ -e "$home/jgreylist" ]; then
	skip "there is a $home/jgreylist" "without both: the home's jgreylist"
else
	run
	is "$code $log" "111 jgreylist-clean: fatal: unable to open $home/jgreylist: file does not exist" \
		"without both: the home's jgreylist"
fi
JGREYLIST_DIR='' run
like "$log" "unable to open $home/jgreylist|^\$" 'JGREYLIST_DIR empty: the same'
: >"$work/file"
run "$work/file"
is "$code $log" "111 jgreylist-clean: fatal: unable to open $work/file: not a directory" 'a file: 111'

# --- wrong use
for arguments in "-o" "-o x" "-k -1" "-o 1000000001" "-z" "one two"; do
	# shellcheck disable=SC2086 # a list of words
	run $arguments
	is "$code $(tail -n 1 "$work/log")" "100 $usage" "wrong use: $arguments"
done

# --- what cannot be read or removed
if is_user 'an unreadable folder: the rest is cleaned, 111'; then
	fresh
	plant 001/002/003 $old $old
	plant 001/003/003 $old $old
	chmod 0 "$tree/001/003"
	run "$tree"
	chmod 700 "$tree/001/003"
	is "$code $log $(files)" "111 jgreylist-clean: warning: unable to read $tree/001/003: access denied 001/003/003 " \
		'an unreadable folder: the rest is cleaned, 111'
	plant 001/002/003 $old $old
	chmod 500 "$tree/001/002"
	run -v "$tree"
	chmod 700 "$tree/001/002"
	is "$code $log $(files)" "111 jgreylist-clean: warning: unable to remove $tree/001/002/003: access denied 001/002/003 " \
		'an entry that cannot be removed: 111'
	is "$(tail -n 1 "$work/out")" \
		'looked at 2, removed 1 never returned, 0 not seen, kept 1' 'and it is counted as kept'
fi
if is_plain 'a disk that fails: 111' && can_trace 'a disk that fails: 111'; then
	fresh
	plant 001/002/003 $old $old
	plant 001/003/003 $old $old
	code=0
	strace -qq -o /dev/null -e inject=unlinkat:error=EIO:when=1 \
		"$bin/jgreylist-clean" -v "$tree" >"$work/out" 2>"$work/log" || code=$?
	is "$code $(sed 's,/00[23]/003,/…,' "$work/log")" \
		"111 jgreylist-clean: warning: unable to remove $tree/001/…: input/output error" \
		'a disk that fails: 111'
	is "$(files | wc -w) $(tail -n 1 "$work/out")" \
		'1 looked at 2, removed 1 never returned, 0 not seen, kept 1' 'and the rest is cleaned'
	fresh
	plant 001/002/003 $old $old
	code=0
	strace -qq -o /dev/null -e trace=getdents64 \
		-e inject=getdents64:error=EIO:when=6 \
		"$bin/jgreylist-clean" "$tree" >"$work/out" 2>"$work/log" || code=$?
	is "$code $(grep -c ': unable to read .*: input/output error' "$work/log")" '111 1' \
		'a folder that cannot be read to its end: 111'
	# Between the two looks the client comes.
	fresh
	plant 001/002/003 $((40 * day)) $((39 * day))
	code=0
	strace -qq -o "$work/trace" -e trace=newfstatat,fstatat64,statx,unlinkat \
		"$bin/jgreylist-clean" "$tree" >"$work/out" 2>"$work/log" || code=$?
	like "$(grep -B 1 'unlinkat.*"003", 0' "$work/trace" | head -n 1)" 'stat.*"003"' \
		'right before it goes, an entry is looked at'
fi
if [ -c /dev/full ]; then
	fresh
	plant 001/002/003 60 60
	code=0
	jgreylist-clean -v "$tree" >/dev/full 2>"$work/log" || code=$?
	is "$code $(cat "$work/log")" '111 jgreylist-clean: fatal: unable to write output: out of disk space' \
		'what it says cannot be written: 111'
else
	skip 'no /dev/full' 'what it says cannot be written: 111'
fi

# --- progress: on a terminal only
fresh
plant 001/002/003 $old $old
plant 001/002/004 60 60
# on_terminal COMMAND…: with a terminal as standard error
on_terminal() {
	perl -MFcntl -e '
		sysopen(my $master, "/dev/ptmx", O_RDWR | O_NOCTTY) or exit 9;
		my $unlocked = my $number = pack "i", 0;
		ioctl($master, 0x40045431, $unlocked) or exit 9; # TIOCSPTLCK
		ioctl($master, 0x80045430, $number) or exit 9; # TIOCGPTN
		my $name = "/dev/pts/" . unpack "i", $number;
		open my $terminal, "+<", $name or exit 9;
		my $pid = fork // exit 9;
		if (!$pid) { open STDERR, ">&", $terminal; exec @ARGV }
		waitpid $pid, 0;
		my $code = $? >> 8;
		vec(my $set = "", fileno $master, 1) = 1;
		while (select my $ready = $set, undef, undef, 0) {
			sysread $master, my $bytes, 4096 or last;
			print STDERR $bytes;
		}
		exit $code' -- "$@"
}
code=0
on_terminal jgreylist-clean "$tree" >"$work/out" 2>"$work/log" || code=$?
if [ $code -eq 9 ]; then skip 'no terminals here' 'on a terminal: progress'
else
	is "$code $(tr -d '\r' <"$work/log")$(cat "$work/out")" '0 looked at 2, removed 1' \
		'on a terminal: progress'
	on_terminal jgreylist-clean -v "$tree" >"$work/out" 2>"$work/log"
	is "$(tr -d '\r' <"$work/log"; cat "$work/out")" 'looked at 1, removed 0
kept 001/002/004
looked at 1, removed 0 never returned, 0 not seen, kept 1' 'and -v goes on into its file'
fi

done_testing
