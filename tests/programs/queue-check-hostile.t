#!/bin/sh
# queue-check in a queue whose owner means harm: root runs it, so what lies outside
# of the queue must not be touched, whatever stands in a folder's or a file's place.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
unset QUEUEDIR CONTROLDIR
me=$(id -u)
queue=$work/queue
victim=$work/victim

# prepare: a new queue, and old files outside of it that look like messages
prepare() {
	rm -rf "$queue" "$victim"
	queue-check -u "$me" "$queue" >/dev/null
	mkdir "$victim"
	echo precious >"$victim/precious"
	echo message >"$victim/4711"
	echo message >"$victim/new"
	id=$(stat -c %i "$victim/new")
	mv "$victim/new" "$victim/$id"
	chmod 600 "$victim"/*
	touch -d '3 days ago' "$victim"/*
	seen=$(victims)
}
victims() {
	(cd "$victim" && find . -type f -printf '%p %m %s %T@\n' | sort)
}
# check NAME: it ends, says that something is wrong, and leaves the victims alone
check() {
	code=0
	timeout 20 queue-check -u "$me" "$queue" >"$work/out" 2>"$work/log" || code=$?
	is "$code" 1 "$1: something is wrong"
	is "$(victims)" "$seen" "$1: nothing outside is touched"
}
for folder in pid todo intd bounce mess/9 info/3; do
	prepare
	rmdir "$queue/$folder"
	ln -s "$victim" "$queue/$folder"
	check "$folder is a link"
	like "$(cat "$work/out")" "^$folder: is no folder$" "$folder is a link: says so"
done

# Its own name is right there: a message that nobody asks for.
prepare
rmdir "$queue/mess/$((id % 23))"
ln -s "$victim" "$queue/mess/$((id % 23))"
check 'a link to a folder with a right name'

prepare
rm -r "$queue/mess"
ln -s "$victim" "$queue/mess"
check 'mess is a link'
is "$(find "$victim" -mindepth 1 -type d)" '' 'nothing is made behind it'
prepare
rm -r "$queue/lock"
ln -s "$victim" "$queue/lock"
check 'lock is a link'
is "$(find "$victim" -name 't*' -o -name 's*')" '' 'nothing is made behind that'

# --- other names of files that are not the queue's
prepare
ln "$victim/$id" "$queue/mess/$((id % 23))/$id"
: >"$queue/todo/$id"
check 'a message is a link to a file elsewhere'
like "$(cat "$work/out")" "^mess/$((id % 23))/$id: has a name outside" 'and that is said'
for file in tcpto sendmutex; do
	prepare
	rm "$queue/lock/$file"
	ln "$victim/precious" "$queue/lock/$file"
	check "$file is a link to a file elsewhere"
	prepare
	rm "$queue/lock/$file"
	ln -s "$victim/precious" "$queue/lock/$file"
	check "$file is a symbolic link"
done
# Of what qmail-queue writes, two names are in the queue.
prepare
echo message >"$queue/new"
id=$(stat -c %i "$queue/new")
mv "$queue/new" "$queue/mess/$((id % 23))/$id"
echo envelope >"$queue/intd/$id"
chmod 600 "$queue/intd/$id"
ln "$queue/intd/$id" "$queue/todo/$id"
queue-check -u "$me" "$queue" >/dev/null 2>&1
is "$? $(stat -c '%a' "$queue/todo/$id")" '0 644' 'an envelope with both its names is put right'

# --- what would wait for ever
prepare
rm "$queue/lock/sendmutex"
mkfifo "$queue/lock/sendmutex"
check 'sendmutex is a fifo'
prepare
mkfifo "$queue/mess/4/4"
mkdir "$queue/todo/5"
check 'a fifo and a folder among the messages'
like "$(cat "$work/out")" '^mess/4/4: is no file$' 'both are left alone'

done_testing
