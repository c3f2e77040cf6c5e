/* SPDX-License-Identifier: ISC */
#include "control_file.h"

#include <string.h>
#include <strings.h>

#include "log.h"
#include "mail/control.h"
#include "replies.h"

typedef enum control_answer reader(const char *name, struct str *text);

static void read_once(struct session *session, struct control_file *file,
		      reader *read)
{
	enum control_answer answer;

	if (file->is_read) return;
	answer = read(file->name, &file->text);
	if (answer == CONTROL_FAILED) {
		log_unreadable_control(file->name);
		session_give_up(session, REPLY_NO_CONTROLS);
	}
	file->is_absent = answer == CONTROL_ABSENT;
	file->is_read = true;
}

const struct str *control_file_list(struct session *session,
				    struct control_file *file)
{
	read_once(session, file, control_read_list);
	return file->is_absent ? NULL : &file->text;
}

bool control_file_has(struct session *session, struct control_file *file,
		      const char *text)
{
	const struct str *lines = control_file_list(session, file);
	const char *line;

	if (!lines) return false;
	for (size_t at = 0; at < lines->length; at += strlen(line) + 1) {
		line = lines->data + at;
		if (strcasecmp(line, text) == 0) return true;
	}
	return false;
}

const char *control_file_line(struct session *session,
			      struct control_file *file)
{
	read_once(session, file, control_read_line);
	return file->text.length ? file->text.data : "";
}
