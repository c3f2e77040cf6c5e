# What the tests of qmail-queue and queue-check share; read in after lib.sh and
# maildir.sh.
# SPDX-License-Identifier: ISC
# shellcheck shell=sh

# make_queue NAME [OPTION…]: a new queue of ours, $work/NAME
make_queue() {
	rm -rf "${work:?}/$1"
	made=$work/$1
	shift
	queue-check -u "$(id -u)" "$@" "$made" >/dev/null || echo "Bail out! queue-check $*"
}

# in_queue NAME FOLDER…: how many files are in these of its folders
in_queue() {
	looked=$work/$1
	shift
	for folder; do find "$looked/$folder" ! -type d; done | wc -l
}

# all_files NAME: those of all messages, without lock/
all_files() {
	in_queue "$1" pid mess intd todo info local remote bounce
}

# the_id NAME: of the only message
the_id() {
	find "$work/$1/mess" -type f | sed 's,.*/,,'
}

# stored NAME: the number of messages in $work/NAME that are $work/message and
# $work/envelope, whole, and by the right name. "broken" when a todo/ has another
# one, or none.
stored() {
	split=$(find "$work/$1/mess" -mindepth 1 -type d | wc -l)
	stored=0
	tr -d '\n' <"$work/envelope" | sed 's/\x00$//' >"$work/wanted"
	# shellcheck disable=SC2044 # numbers
	for envelope in $(find "$work/$1/todo" -type f ! -name '*.*'); do
		id=${envelope##*/}
		file=$work/$1/mess/$((id % split))/$id
		if [ "$(stat -c %i "$file" 2>/dev/null)" != "$id" ] ||
			! sed 1d "$file" | cmp -s - "$work/message" ||
			! sed 's/^u[0-9]*\x00p[0-9]*\x00//' "$envelope" | cmp -s - "$work/wanted"; then
			echo broken
			return
		fi
		stored=$((stored + 1))
	done
	echo $stored
}

# queue_is_on NAME KIND: "ext4", with a journal or not, as qmail-queue looks for it;
# or "ext4 with a journal"
queue_is_on() {
	[ "$(stat -f -c %t "$work/$1")" = ef53 ] || return
	ext4=$(readlink "/sys/dev/block/$(stat -L -c %Hd:%Ld "$work/$1")") || return
	case $2 in
	ext4) test -r "/sys/fs/ext4/${ext4##*/}/journal_task" ;;
	*) grep -qs '^[0-9]' "/sys/fs/ext4/${ext4##*/}/journal_task" ;;
	esac
}

# mount_ext4 NAME: one with a journal on the new folder $work/NAME, which only we
# see. Root can, when the script began with
#	[ "$(id -u)" -ne 0 ] || [ "${OWN_MOUNTS:-}" ] || ! unshare -m true 2>/dev/null ||
#		OWN_MOUNTS=1 exec unshare -m "$0"
mount_ext4() {
	[ "${OWN_MOUNTS:-}" ] && mkdir "$work/$1" && truncate -s 64M "$work/$1.image" &&
		mkfs.ext4 -q -O has_journal "$work/$1.image" 2>/dev/null &&
		mount -o loop "$work/$1.image" "$work/$1" 2>/dev/null || return
	mounted=0
	trap 'mounted=$?; umount "$work"/*/ 2>/dev/null; (exit $mounted); finish' EXIT
}

# make_old FILE…: so old that it is left over
make_old() {
	touch -d '3 days ago' "$@"
}
