#!/bin/sh
# queue-check: the queues it makes, what it finds and repairs, what it leaves alone,
# and that a message survives the repair of its name wherever that is interrupted.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
. "$tests/maildir.sh"
. "$tests/queue.sh"
unset QUEUEDIR CONTROLDIR
me=$(id -u)
queue=$work/queue

# check CODE OUTPUT NAME [OPTION…]: on $queue
check() {
	wanted=$1 output=$2 name=$3
	shift 3
	code=0
	got=$(queue-check -u "$me" "$@" "$queue" 2>"$work/log") || code=$?
	is "$code" "$wanted" "$name: exit $wanted"
	is "$got" "$output" "$name: what it says"
	[ "$code" -eq 111 ] || is "$(cat "$work/log")" '' "$name: and no more"
}
# fine NAME: nothing is wrong any more
fine() {
	check 0 '' "$1: then all is well" -n
}
# listing: all there is, with owners, modes and sizes
listing() {
	(cd "$queue" && find . -printf '%p %U %m %y %s\n' | sort)
}

# --- a new queue
check 1 "$queue: is not there: would be created" 'none, -n' -n
is "$(ls "$work")" log 'nothing was made'
check 0 "$queue: is not there: created" none
listing >"$work/first"
is "$(grep -c . "$work/first")" $((1 + 9 + 4 * 23 + 3)) 'so many folders and files'
is "$(cd "$queue" && stat -c '%n %a %F %s %u' . pid mess mess/22 intd todo info info/0 local local/7 remote remote/13 bounce lock lock/* |
	sed 's/ 4096 / /; s/directory [0-9]* /directory /')" \
	". 750 directory $me
pid 700 directory $me
mess 750 directory $me
mess/22 750 directory $me
intd 700 directory $me
todo 750 directory $me
info 700 directory $me
info/0 700 directory $me
local 700 directory $me
local/7 700 directory $me
remote 700 directory $me
remote/13 700 directory $me
bounce 700 directory $me
lock 750 directory $me
lock/sendmutex 600 regular empty file 0 $me
lock/tcpto 644 regular file 1024 $me
lock/trigger 622 fifo 0 $me" 'with these modes'
fine 'a new queue'
check 0 '' 'a new queue again'
listing | cmp -s - "$work/first"
is $? 0 'nothing has changed'
rm -r "$queue"
mkdir "$queue"
check 1 '.: is empty: would be made a queue' 'an empty folder, -n' -n
check 0 '.: is empty: made a queue' 'an empty folder'
(umask 077 && rm -r "$queue" && queue-check -u "$me" "$queue" >/dev/null)
listing | cmp -s - "$work/first"
is $? 0 'the umask does not count'
rm -r "$queue"
mkdir -p "$queue/lost+found"
check 0 '.: is empty: made a queue' 'the root of a file system'
rm -r "$queue"
# The home, say, or /var: names of a queue are common.
mkdir -p "$queue/local" "$queue/lock" "$queue/bin"
listing >"$work/before"
for option in -n -b -s5; do
	check 1 '.: is no queue, and not empty' "another folder, $option" $option
done
listing | cmp -s - "$work/before"
is $? 0 'another folder: nothing has changed'
rm -r "$queue"
code=0
got=$(queue-check "$work/none/queue" 2>&1) || code=$?
is "$code $got" "111 queue-check: fatal: cannot create $work/none/queue: file does not exist" \
	'a queue that cannot be created is not said to be'
check 0 "$queue: is not there: created" 'a split of 5' -s 5
is "$(find "$queue" -type d | wc -l)" $((10 + 4 * 5)) 'five folders each'
check 1 'mess: has 5 folders, not 23' 'another split' -s 23
check 0 '' 'its own split' -s 5
check 0 'intd/0: is not there: created
intd/1: is not there: created
intd/2: is not there: created
intd/3: is not there: created
intd/4: is not there: created
todo/0: is not there: created
todo/1: is not there: created
todo/2: is not there: created
todo/3: is not there: created
todo/4: is not there: created' 'big-todo, later' -b
fine 'with big-todo'
rm -r "$queue"
queue-check -u "$me" -s 3 "$queue" >/dev/null
: >"$queue/todo/17"
check 1 'todo: is not split, and not empty' 'big-todo, too late' -b
rm -r "$queue"
(cd "$work" && QUEUEDIR=queue queue-check -u "$me" >/dev/null)
is "$? $(find "$queue/mess" -type d | wc -l)" '0 24' 'QUEUEDIR, relative'

# --- wrong use
usage() {
	name=$1
	shift
	code=0
	queue-check "$@" >/dev/null 2>"$work/log" || code=$?
	is "$code" 100 "$name: 100"
}
usage 'an unknown option' -x "$queue"
usage 'two queues' "$queue" "$queue"
usage 'a split of 0' -s 0 "$queue"
usage 'no such user' -u no-such-user "$queue"
usage 'no such group' -u "$me:no-such-group" "$queue"
echo file >"$work/file"
code=0
queue-check "$work/file" 2>"$work/log" || code=$?
is "$code $(cat "$work/log")" "111 queue-check: fatal: cannot enter $work/file: not a directory" 'a file: 111'
code=0
queue-check "$work/nowhere/queue" >/dev/null 2>"$work/log" || code=$?
is "$code" 111 'a folder that cannot be made: 111'

(cd "$work" && mkdir home && : >home/bin && mkdir home/lock)
code=0
got=$(queue-check -u "$me" "$work/home") || code=$?
is "$code $got $(ls "$work/home" | tr '\n' ' ')" '1 .: is no queue, and not empty bin lock ' 'a folder of another kind is left alone'

# --- folders and lock files
rmdir "$queue/info/7" "$queue/bounce"
rm "$queue/lock/trigger" "$queue/lock/tcpto"
check 1 'info/7: is not there: would be created
bounce: is not there: would be created
lock/trigger: is not there: would be created
lock/tcpto: is not there: would be created' 'some are missing, -n' -n
check 0 'info/7: is not there: created
bounce: is not there: created
lock/trigger: is not there: created
lock/tcpto: is not there: created' 'some are missing'
listing | cmp -s - "$work/first"
is $? 0 'all is as it was'
rm -r "$queue/mess/3"
check 0 'mess/3: is not there: created' 'a folder of messages'
truncate -s 16 "$queue/lock/tcpto"
check 0 'lock/tcpto: has 16 bytes, not 1024: changed' 'tcpto'
rm "$queue/lock/trigger"
echo >"$queue/lock/trigger"
check 1 'lock/trigger: is of another kind' 'a trigger that is a file'
rm -r "$queue/lock/trigger" "$queue/remote/4"
echo >"$queue/remote/4"
check 1 'remote/4: is no folder
lock/trigger: is not there: created' 'a folder that is a file'
rm "$queue/remote/4"
check 0 'remote/4: is not there: created' 'once that is away'
group=$(id -g)
chmod 755 "$queue/info" "$queue/lock"
chmod 644 "$queue/lock/sendmutex"
check 0 "info: belongs to $me:$group with mode 0755, not to $me:$group with 0700: changed
lock: belongs to $me:$group with mode 0755, not to $me:$group with 0750: changed
lock/sendmutex: belongs to $me:$group with mode 0644, not to $me:$group with 0600: changed" modes
fine modes
echo >"$queue/core"
printf x >"$queue/todo/$(printf 'a\nb')"
mkdir "$queue/mess/lost+found" "$queue/lost+found"
: >"$queue/mess/2/x"
: >"$queue/bounce/007"
check 1 'core: is unknown
mess/lost+found: is unknown
mess/2/x: is unknown
todo/a?b: is unknown
bounce/007: is unknown' 'what nobody knows'
rm -r "$queue/core" "$queue/mess/lost+found" "$queue/mess/2/x" "$queue/bounce/007"
find "$queue/todo" -type f -delete

# --- messages
# new_message TEXT [FOLDER…]: a message with this text in its file and in each of
# the folders; $id
new_message() {
	text=$1
	shift
	echo "$text" >"$queue/new"
	id=$(stat -c %i "$queue/new")
	mv "$queue/new" "$queue/mess/$((id % split))/$id"
	for folder; do
		echo "$text" >"$(place "$folder" "$id")"
		case $folder in info | local | remote | bounce) chmod 600 "$(place "$folder" "$id")" ;; esac
	done
}
# place FOLDER ID: where it belongs
place() {
	case $1 in
	bounce) echo "$queue/$1/$2" ;;
	intd | todo) if [ -d "$queue/todo/0" ]; then echo "$queue/$1/$(($2 % split))/$2"; else echo "$queue/$1/$2"; fi ;;
	*) echo "$queue/$1/$(($2 % split))/$2" ;;
	esac
}
split=23
new_queue() {
	rm -rf "$queue"
	split=${1:-23}
	shift $(($# > 0))
	queue-check -u "$me" -s "$split" "$@" "$queue" >/dev/null
}
# One in each state, as qmail has them.
all_states() {
	new_message one todo intd
	new_message two todo
	new_message three todo info local remote
	new_message four info local
	new_message five info remote bounce
	new_message six info local remote bounce
}
# texts: of each message, by its right name: the text, and the folders with the
# same one; "wrong" when a file belongs to none, or to another
texts() {
	(cd "$queue" && find mess -type f | while read -r file; do
		number=${file##*/}
		folder=${file%/*}
		case $number in *[!0-9]*)
			echo "wrong $file"
			continue
			;;
		esac
		text=$(cat "$file")
		[ "$(stat -c %i "$file")" = "$number" ] && [ $((number % split)) = "${folder##*/}" ] ||
			echo "wrong $file"
		line=$text
		for folder in intd todo info local remote bounce; do
			[ -e "$(place $folder "$number")" ] || continue
			[ "$(cat "$(place $folder "$number")")" = "$text" ] || echo "wrong $folder/$number"
			line="$line $folder"
		done
		echo "$line"
	done | sort)
	find "$queue" -mindepth 2 -type f ! -path '*/lock/*' | while read -r file; do
		case ${file##*/} in *[!0-9]*) continue ;; esac
		[ -e "$(place mess "${file##*/}")" ] || echo "wrong $file"
	done
}
all_texts='five info remote bounce
four info local
one intd todo
six info local remote bounce
three todo info local remote
two todo'
new_queue
all_states
is "$(texts)" "$all_texts" 'messages in all states'
listing >"$work/first"
fine 'messages'
check 0 '' messages
listing | cmp -s - "$work/first"
is $? 0 'nothing has changed'
chmod 600 "$(place mess "$id")"
chmod 644 "$(place info "$id")"
check 0 "mess/$((id % 23))/$id: belongs to $me:$group with mode 0600, not to $me:$group with 0644: changed
info/$((id % 23))/$id: belongs to $me:$group with mode 0644, not to $me:$group with 0600: changed" 'modes of a message'

# --- what is left over
new_queue
all_states
find "$queue" -type f -exec touch -d '3 days ago' {} +
check 0 '' 'old messages are no garbage'
new_message unfinished
unfinished=$id
new_message 'unfinished, too' intd
: >"$queue/pid/17.18.1"
check 0 '' 'a qmail-queue may be at work'
touch -d '35 hours ago' "$queue/pid/17.18.1" "$(place mess "$id")" "$(place intd "$id")"
check 0 '' 'even after 35 hours'
make_old "$queue/pid/17.18.1" "$(place mess "$id")" "$(place intd "$id")"
check 1 "pid/17.18.1: is left over: would be removed
intd/$id: was never finished: would be removed
mess/$((id % 23))/$id: was never finished: would be removed" 'after 36 they are left over, -n' -n
check 0 "pid/17.18.1: is left over: removed
intd/$id: was never finished: removed
mess/$((id % 23))/$id: was never finished: removed" 'after 36 they are left over'
rm "$(place mess "$unfinished")"
is "$(texts)" "$all_texts" 'and nothing else is gone'
echo lost >"$queue/todo/4711"
check 1 'todo/4711: has no message' 'an envelope without a message'
make_old "$queue/todo/4711"
check 0 'todo/4711: has no message: removed' 'an old one'

# --- qmail-send runs
hold() {
	perl -MFcntl=:flock -e 'open my $f, ">>", $ARGV[0] or die; flock $f, LOCK_EX or die;
		open my $ready, ">", $ARGV[1] or die; close $ready; sleep 600' "$queue/lock/sendmutex" "$work/held" &
	holder=$!
	started="$started $holder"
	wait_until test -e "$work/held"
}
release() {
	stop "$holder"
	rm "$work/held"
}
new_message misnamed todo
wrong_name=$((id + 1000000))
mv "$(place mess "$id")" "$(place mess $wrong_name)"
mv "$(place todo "$id")" "$(place todo $wrong_name)"
path=mess/$((wrong_name % 23))/$wrong_name
right=mess/$((id % 23))/$id
new_message unfinished
make_old "$(place mess "$id")"
hold
check 1 "$path: has a wrong name, but qmail-send may run" 'qmail-send runs'
is "$(cat "$queue/$path" "$(place mess "$id")")" 'misnamed
unfinished' 'nothing is renamed or removed'
make_old "$(place mess "$id")"
check 1 "$path: its inode says $right: would be renamed
mess/$((id % 23))/$id: was never finished: would be removed" 'with -n it looks' -n
release
check 0 "$path: its inode says $right: renamed
mess/$((id % 23))/$id: was never finished: removed" 'once it has ended'
is "$(texts)" "$(printf '%s\n' "$all_texts" 'misnamed todo' | sort)" 'all is in its place'

# --- a queue that was copied
copied() {
	new_queue "$@"
	all_states
	for text in a b c d e f g h; do new_message $text todo; done
	cp -a "$queue" "$work/copy"
	rm -rf "$queue"
	mv "$work/copy" "$queue"
	wanted=$(printf '%s\n' "$all_texts" a\ todo b\ todo c\ todo d\ todo e\ todo f\ todo g\ todo h\ todo | sort)
}
repaired() {
	code=0
	queue-check -u "$me" "$queue" >"$work/out" 2>"$work/log" || code=$?
	is "$code $(grep -c ' renamed$' "$work/out") $(cat "$work/log")" '0 14 ' "$1: 14 renamed"
	is "$(texts)" "$wanted" "$1: each has its files"
	fine "$1"
}
copied
repaired 'copied by cp'
copied 7 -b
repaired 'copied by cp, with another split and big-todo'
copied
tar -cf "$work/tar" -C "$queue" .
rm -r "$queue"
mkdir "$queue"
tar -xpf "$work/tar" -C "$queue"
repaired 'restored from a tar'
export QUEUEDIR="$queue"
message x
envelope s@x r@x
copied
for i in 1 2 3; do
	run qmail-queue
	is "$code" 0 "qmail-queue may run before the repair, $i"
done
find "$queue/todo" -type f -exec grep -laz '^Fs@x$' {} + | while read -r file; do
	id=${file##*/}
	rm "$file" "$(place mess "$id")"
done
repaired 'copied, and then in use'
unset QUEUEDIR

# --- names that are in each other's way
# rename_to OLD NEW: as if it had been that number's
rename_to() {
	for folder in mess intd todo info local remote bounce; do
		[ ! -e "$(place $folder "$1")" ] || mv "$(place $folder "$1")" "$(place $folder "$2")"
	done
}
# A ring of three: each has the name of the next one.
ring() {
	new_queue 3
	new_message alpha todo intd
	a=$id
	new_message beta info local bounce
	b=$id
	new_message gamma todo info local remote
	c=$id
	rename_to "$a" 99999999
	rename_to "$b" "$a"
	rename_to "$c" "$b"
	rename_to 99999999 "$c"
	wanted='alpha intd todo
beta info local bounce
gamma todo info local remote'
}
ring
is "$(texts | grep -c wrong)" 3 'a ring of names: three are wrong'
code=0
queue-check -u "$me" "$queue" >"$work/out" || code=$?
is "$code $(grep -c ' renamed$' "$work/out")" '0 3' 'a ring of names: three renamed'
is "$(texts)" "$wanted" 'a ring of names: each has its files'
fine 'a ring of names'
new_queue
new_message delta info local
rename_to "$id" 99999999
echo stray >"$(place local "$id")"
chmod 600 "$(place local "$id")"
check 1 "mess/$((99999999 % 23))/99999999: its inode says mess/$((id % 23))/$id: renamed
local/$((id % 23))/$id.stray: was in the way of a message" 'a file in the way'
rm "$(place local "$id").stray"
is "$(texts)" 'delta info local' 'is moved aside'
new_queue
new_message twice todo
cp "$(place mess "$id")" "$queue/mess/$(((id + 1) % 23))/$id"
check 1 "mess/$(((id + 1) % 23))/$id: nobody knows whose it is" 'two of one name'
new_queue
new_message moved todo
mv "$(place mess "$id")" "$queue/mess/$(((id + 1) % 23))/$id"
check 0 "mess/$(((id + 1) % 23))/$id: its inode says mess/$((id % 23))/$id: renamed" 'the wrong folder'
is "$(texts)" 'moved todo' 'is put right'
new_queue
new_message 'written anew' todo
cp "$(place mess "$id")" "$queue/new"
mv "$queue/new" "$(place mess "$id")"
code=0
queue-check -u "$me" "$queue" >/dev/null || code=$?
is "$code $(texts)" '0 written anew todo' 'a file that an editor has written anew'

# --- interrupted, anywhere
# Twice in a row, and then once more to the end.
interrupted() {
	wrong='' nth=0 killed=0
	while [ $nth -lt 200 ]; do
		nth=$((nth + 1))
		ring
		strace -o /dev/null -e "inject=$1:signal=KILL:when=$nth" queue-check -u "$me" "$queue" >/dev/null 2>&1
		[ $? -eq 137 ] || break
		killed=$((killed + 1))
		# What is there by a name of its own is whole, and nothing is lost.
		[ "$(find "$queue/mess" -type f -exec cat {} + | sort -u | tr '\n' ' ')" = 'alpha beta gamma ' ] ||
			wrong="$wrong $nth:lost"
		strace -o /dev/null -e "inject=$1:signal=KILL:when=$(((nth * 7) % 11 + 1))" queue-check -u "$me" "$queue" >/dev/null 2>&1
		queue-check -u "$me" "$queue" >/dev/null 2>"$work/log" || wrong="$wrong $nth:code"
		[ "$(texts)" = "$wanted" ] || wrong="$wrong $nth:$(texts | tr '\n' ,)"
		queue-check -n -u "$me" "$queue" >"$work/out" 2>&1 || wrong="$wrong $nth:$(cat "$work/out")"
	done
	is "$wrong" '' "killed before each $1, $killed times: each has its files in the end"
	[ $killed -ge "$2" ]
	is $? 0 "at least $2 times"
}
can_trace 'interrupted' && is_plain 'interrupted' && {
	interrupted '?link,?linkat' 20
	interrupted '?unlink,?unlinkat' 20
	interrupted syncfs 4
	# A call that fails is no end, and said.
	for call in '?link,?linkat' '?unlink,?unlinkat' syncfs; do
		ring
		code=0
		strace -o /dev/null -e "inject=$call:error=EIO:when=3" queue-check -u "$me" "$queue" >/dev/null 2>"$work/log" || code=$?
		is "$code" 1 "$call fails: 1"
		like "$(cat "$work/log")" 'input/output error' "$call fails: it is said"
		code=0
		queue-check -u "$me" "$queue" >/dev/null 2>"$work/log" || code=$?
		is "$code $(texts)" "0 $wanted" "$call fails: repaired by the next run"
	done
}

# --- owners
is_root owners && {
	chmod 755 "$work"
	rm -rf "$queue"
	queue-check -u 12001:12002 "$queue" >/dev/null
	is "$? $(find "$queue" -printf '%U:%G\n' | sort -u)" '0 12001:12002' 'all is another user'\''s'
	is "$(queue-check "$queue")" '' 'and stays his, without -u'
	id=$(setpriv --reuid=12001 --regid=12002 --clear-groups sh -c 'cd "$1" && umask 022 && : >new && stat -c %i new' sh "$queue")
	split=23
	mv "$queue/new" "$(place mess "$id")"
	chown 0:0 "$queue/info/3" "$(place mess "$id")"
	is "$(queue-check "$queue")" "info/3: belongs to 0:0 with mode 0700, not to 12001:0 with 0700: changed
mess/$((id % 23))/$id: belongs to 0:0 with mode 0644, not to 12001:0 with 0644: changed" 'a file of root is given to him'
	ln -s /etc/passwd "$queue/lock/link"
	rm "$queue/lock/tcpto" && ln -s "$work/file" "$queue/lock/tcpto"
	before=$(stat -c '%U %a %s' "$work/file")
	queue-check "$queue" >/dev/null
	is "$? $(stat -c '%U %a %s' "$work/file")" "1 $before" 'a symbolic link is not followed'
	if getent passwd qmailq qmails qmailr >/dev/null && getent group qmail >/dev/null; then
		rm -rf "$queue"
		queue-check "$queue" >/dev/null
		is "$(cd "$queue" && stat -c '%U:%G' . mess/1 info/2 bounce lock lock/sendmutex lock/trigger lock/tcpto | tr '\n' ' ')" \
			'qmailq:qmail qmailq:qmail qmails:qmail qmails:qmail qmailq:qmail qmails:qmail qmails:qmail qmailr:qmail ' \
			'where there are qmail'\''s users, it is theirs'
	fi
}
is_user 'files of others' && {
	rm -rf "$queue"
	queue-check "$queue" >/dev/null
	is "$? $(find "$queue" -printf '%U\n' | sort -u)" "0 $me" 'a user'\''s queue is his'
}
done_testing
