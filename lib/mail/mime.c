/* SPDX-License-Identifier: ISC */
#include "mail/mime.h"

#include <string.h>
#include <strings.h>

#include "mail/uuencode.h"

enum {
	DECODED_AT_ONCE = 512,
	MOST_PIECES = 9999, /* the number of a name's last one */
};

/* A layer reads lines; a line that is decoded is read by the next one. */
static void read_layer(struct mime_walk *, struct mime_layer *,
		       const char *bytes, size_t length);
static void end_layer(struct mime_walk *, struct mime_layer *);

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

static void begin_header(struct mime_layer *layer)
{
	layer->in_header = true;
	layer->kind = (struct mime_kind){ 0 };
	layer->field = MIME_NO_FIELD;
	layer->doubtful_group = 0;
	mime_boundaries_drop(&layer->boundaries);
}

static void start_layer(struct mime_layer *layer)
{
	layer->in_line = layer->is_skipped = false;
	layer->at_cr = layer->is_empty = layer->behind_cr = false;
	layer->head_length = 0;
	mime_boundaries_start(&layer->boundaries);
	layer->is_text = false;
	layer->is_starting = false;
	layer->start_length = 0;
	layer->decoder.encoding = MIME_AS_IT_IS;
	layer->file = MIME_NO_FILE;
	begin_header(layer);
}

/* ---- what is told ---- */

static void report_name(const struct mime_walk *walk, const char *value,
			size_t length)
{
	char name[MIME_NAME];

	if (!walk->observer->name) return;
	length = mime_name_decode(name, value, length);
	if (length > 0)
		walk->observer->name(walk->observer->context, name, length);
}

/* A NUL is the end for some, and nothing for others. */
static void report_encoded_name(const struct mime_walk *walk, char *value,
				size_t length)
{
	const char *nul;

	length = mime_name_decode_percent(value, length);
	nul = memchr(value, '\0', length);
	if (nul) report_name(walk, value, (size_t)(nul - value));
	report_name(walk, value, length);
}

static void report_start(const struct mime_walk *walk, struct mime_layer *layer)
{
	if (layer->is_starting && layer->start_length > 0 &&
	    walk->observer->start)
		walk->observer->start(walk->observer->context, layer->start,
				      layer->start_length);
	layer->is_starting = false;
	layer->start_length = 0;
}

/* ---- the body ---- */

/* Nothing that comes can matter any more. */
static bool is_idle(const struct mime_layer *layer)
{
	return !layer->in_header && layer->boundaries.count == 0 &&
	       !layer->is_text && !layer->is_starting &&
	       layer->decoder.encoding == MIME_AS_IT_IS;
}

static void open_decoder(struct mime_walk *walk, struct mime_layer *layer,
			 enum mime_encoding encoding)
{
	if (layer + 1 == walk->layers + MIME_LAYERS) {
		walk->is_too_deep = true;
		return;
	}
	layer->decoder = (struct mime_decoder){ .encoding = encoding };
	start_layer(layer + 1);
	layer[1].in_header = false;
	layer[1].is_starting = true;
}

static void close_decoder(struct mime_walk *walk, struct mime_layer *layer)
{
	if (layer->decoder.encoding == MIME_AS_IT_IS) return;
	layer->decoder.encoding = MIME_AS_IT_IS;
	end_layer(walk, layer + 1);
}

static void decode(struct mime_walk *walk, struct mime_layer *layer,
		   const char *bytes, size_t length)
{
	char decoded[DECODED_AT_ONCE + MIME_DECODE_EXTRA];

	while (length > 0 && layer->decoder.encoding != MIME_AS_IT_IS) {
		size_t n = length < DECODED_AT_ONCE ? length : DECODED_AT_ONCE;
		size_t used = mime_decode(&layer->decoder, decoded, bytes, n);

		read_layer(walk, layer + 1, decoded, used);
		if (is_idle(layer + 1)) layer->decoder.encoding = MIME_AS_IT_IS;
		bytes += n;
		length -= n;
	}
}

static void add_to_start(struct mime_walk *walk, struct mime_layer *layer,
			 const char *bytes, size_t length)
{
	size_t room = sizeof layer->start - layer->start_length;

	while (layer->start_length == 0 && length > 0 && *bytes == '\n') {
		bytes++;
		length--;
	}
	if (length > room) length = room;
	memcpy(layer->start + layer->start_length, bytes, length);
	layer->start_length += length;
	if (length == room) report_start(walk, layer);
}

static void read_body(struct mime_walk *walk, struct mime_layer *layer,
		      const char *bytes, size_t length)
{
	if (layer->is_starting) add_to_start(walk, layer, bytes, length);
	if (layer->decoder.encoding != MIME_AS_IT_IS)
		decode(walk, layer, bytes, length);
}

static void end_body(struct mime_walk *walk, struct mime_layer *layer)
{
	report_start(walk, layer);
	close_decoder(walk, layer);
	layer->is_text = false;
	layer->file = MIME_NO_FILE;
}

/* ---- uuencoded files in text ---- */

static void take_file_name(struct mime_layer *layer, const char *line,
			   size_t length)
{
	struct uuencode_begin begin;

	layer->file = MIME_NO_FILE;
	if (!uuencode_begins(line, length, &begin)) return;
	layer->file = MIME_FILE_NAMED;
	layer->file_is_base64 = begin.is_base64;
	layer->file_name_length = begin.name_length;
	memcpy(layer->file_name, begin.name, begin.name_length);
}

static void read_text_line(struct mime_walk *walk, struct mime_layer *layer,
			   const char *line, size_t length)
{
	bool is_data = layer->file != MIME_NO_FILE &&
		       uuencode_is_data(line, length, layer->file_is_base64);

	if (layer->file == MIME_IN_FILE && is_data) return;
	if (layer->file == MIME_IN_FILE) close_decoder(walk, layer);
	else if (layer->decoder.encoding != MIME_AS_IT_IS) return;
	if (!is_data) {
		take_file_name(layer, line, length);
		return;
	}
	report_name(walk, layer->file_name, layer->file_name_length);
	open_decoder(walk, layer,
		     layer->file_is_base64 ? MIME_BASE64 : MIME_UUENCODE);
	layer->file = MIME_IN_FILE;
}

/* ---- the fields that matter ---- */

static void take_encoding(struct mime_kind *kind,
			  const struct mime_field *value)
{
	if (mime_field_is(value, "base64")) kind->is_base64 = true;
	if (mime_field_is(value, "quoted-printable"))
		kind->is_quoted_printable = true;
	if (mime_field_is(value, "uuencode") ||
	    mime_field_is(value, "x-uuencode") || mime_field_is(value, "x-uue"))
		kind->is_uuencode = true;
}

static void take_type(struct mime_walk *walk, struct mime_kind *kind,
		      const struct mime_field *value)
{
	if (mime_field_is(value, "multipart/digest")) walk->has_digest = true;
	if (mime_field_is(value, "multipart")) kind->is_multipart = true;
	else if (mime_field_is(value, "message")) kind->is_message = true;
	else if (value->value_length == 0 || mime_field_is(value, "text"))
		kind->is_text = true;
	else if (value->is_whole) kind->is_other = true;
}

/* "filename", "filename*", "filename*2", "filename*2*". */
static void take_name(struct mime_walk *walk,
		      struct mime_reading_of_field *reading, size_t word,
		      unsigned kind)
{
	const struct mime_field *p = &reading->field;
	bool is_encoded =
		p->name_length > word && p->name[p->name_length - 1] == '*';
	const char *at = p->name + word;
	unsigned number = 0;
	char value[MIME_FIELD_VALUE];
	size_t length = p->value_length;

	if (*at && at[1]) {
		for (at++; *at >= '0' && *at <= '9' && number <= MOST_PIECES;
		     at++)
			number = number * 10 + (unsigned)(*at - '0');
		if (number > MOST_PIECES) reading->pieces.is_cut = true;
		if (p->is_whole)
			mime_name_add(&reading->pieces, kind, number,
				      is_encoded, p->value, p->value_length);
		return;
	}
	memcpy(value, p->value, length);
	if (is_encoded) report_encoded_name(walk, value, length);
	else report_name(walk, value, length);
}

/* Behind the word, or NULL. */
static const char *find_word(const struct mime_field *p, const char *word)
{
	size_t length = strlen(word);

	for (size_t at = 0; at + length <= p->value_length; at++)
		if (strncasecmp(p->value + at, word, length) == 0)
			return p->value + at + length;
	return NULL;
}

/* What stands before the first ';', which some readers do not need. */
static void take_first(struct mime_walk *walk, struct mime_layer *layer,
		       const struct mime_field *p)
{
	const char *name = NULL;

	switch (layer->field) {
	case MIME_TYPE:
		take_type(walk, &layer->kind, p);
		if (find_word(p, "boundary"))
			mime_boundaries_add(&layer->boundaries, "", 0);
		name = find_word(p, "name=");
		break;
	case MIME_DISPOSITION: name = find_word(p, "name="); break;
	case MIME_TRANSFER_ENCODING: take_encoding(&layer->kind, p); break;
	case MIME_NAME_ALONE: name = p->value; break;
	case MIME_NO_FIELD: break;
	}
	if (name)
		report_name(walk, name,
			    (size_t)(p->value + p->value_length - name));
}

/* Bytes that no boundary has, or that may mean others (RFC 2047). */
static bool is_odd(const struct mime_field *p)
{
	for (size_t i = 0; i < p->value_length; i++)
		if (p->value[i] < ' ' || p->value[i] > '~') return true;
	return find_word(p, "=?");
}

/* "boundary*0" counts for some readers; to others it is no boundary. */
static void take_boundary(struct mime_layer *layer, const struct mime_field *p)
{
	bool is_plain = strcmp(p->name, "boundary") == 0;

	if (is_plain)
		mime_boundaries_add(&layer->boundaries, p->value,
				    p->value_length);
	if (!is_plain || is_odd(p))
		mime_boundaries_add(&layer->boundaries, "", 0);
}

static void take_parameter(struct mime_walk *walk, struct mime_layer *layer,
			   struct mime_reading_of_field *reading)
{
	static const char *const words[] = { "filename", "name" };
	const struct mime_field *p = &reading->field;

	if (p->name_length == 0) {
		take_first(walk, layer, p);
		return;
	}
	if (layer->field == MIME_TYPE && strstr(p->name, "boundary"))
		take_boundary(layer, p);
	for (unsigned i = 0; i < sizeof words / sizeof *words; i++) {
		size_t length = strlen(words[i]);

		if (strncmp(p->name, words[i], length) == 0 &&
		    (!p->name[length] || p->name[length] == '*'))
			take_name(walk, reading, length, i);
	}
}

/* Both readings byte by byte, so that the order of what they find does not hang
   on where the message was cut. */
static void read_field(struct mime_walk *walk, struct mime_layer *layer,
		       const char *bytes, size_t length)
{
	for (size_t i = 0; i < 2 * length; i++) {
		struct mime_reading_of_field *reading = &layer->readings[i % 2];
		const char *at = bytes + i / 2;

		if (mime_field_read(&reading->field, &at, at + 1))
			take_parameter(walk, layer, reading);
	}
}

static void report_joined_names(struct mime_walk *walk,
				struct mime_name_pieces *pieces)
{
	bool is_encoded = pieces->is_encoded;
	char joined[MIME_NAME], value[MIME_NAME];
	size_t length = 0;

	while (mime_name_join(pieces, joined, &length)) {
		memcpy(value, joined, length);
		if (is_encoded) report_encoded_name(walk, value, length);
		else report_name(walk, value, length);
	}
}

static void end_field(struct mime_walk *walk, struct mime_layer *layer)
{
	if (layer->field == MIME_NO_FIELD) return;
	for (size_t i = 0; i < 2; i++) {
		struct mime_reading_of_field *reading = &layer->readings[i];

		if (mime_field_end(&reading->field))
			take_parameter(walk, layer, reading);
		if (reading->pieces.is_cut) walk->has_cut_name = true;
		if (reading->pieces.count > 0)
			report_joined_names(walk, &reading->pieces);
	}
	layer->field = MIME_NO_FIELD;
}

static size_t skip_blanks(const char *line, size_t at, size_t length)
{
	while (at < length && is_blank(line[at])) at++;
	return at;
}

/* The length of what is before the value, if that is one of the fields. */
static size_t name_of_field(const char *line, size_t length,
			    enum mime_field_kind *kind)
{
	/* The last three are names where there is no other one. */
	static const struct {
		char name[26];
		enum mime_field_kind kind;
	} fields[] = {
		{ "content-type", MIME_TYPE },
		{ "content-disposition", MIME_DISPOSITION },
		{ "content-transfer-encoding", MIME_TRANSFER_ENCODING },
		{ "content-name", MIME_NAME_ALONE },
		{ "content-description", MIME_NAME_ALONE },
		{ "x-sun-data-name", MIME_NAME_ALONE },
	};

	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		size_t at = strlen(fields[i].name);

		if (length <= at || strncasecmp(line, fields[i].name, at) != 0)
			continue;
		at = skip_blanks(line, at, length);
		if (at == length || line[at] != ':') continue;
		*kind = fields[i].kind;
		return at + 1;
	}
	return 0;
}

static void begin_field(struct mime_layer *layer, enum mime_field_kind kind)
{
	layer->field = kind;
	layer->kind.has_field = true;
	for (size_t i = 0; i < 2; i++) {
		struct mime_reading_of_field *reading = &layer->readings[i];

		mime_field_start(&reading->field, (enum mime_reading)i);
		mime_name_start(&reading->pieces);
	}
}

/* ---- the header ---- */

/* What the body is when it is decoded. */
static void open_body(struct mime_walk *walk, struct mime_layer *layer,
		      size_t outer)
{
	const struct mime_boundaries *ours = &layer->boundaries;
	struct mime_layer *inner = layer + 1;

	open_decoder(walk, layer,
		     layer->kind.is_base64 ? MIME_BASE64
					   : MIME_QUOTED_PRINTABLE);
	if (layer->decoder.encoding == MIME_AS_IT_IS) return;
	inner->is_starting = layer->is_starting;
	inner->is_text = layer->is_text;
	inner->in_header = layer->kind.is_message;
	for (size_t i = outer; i < ours->count; i++)
		mime_boundaries_add(&inner->boundaries, ours->list[i].text,
				    ours->list[i].length);
	mime_boundaries_take(&inner->boundaries, 0);
}

/* What the header has said comes true. With several types, or none, the body is
   all that it may be. An attached message is read as it is and, encoded, decoded
   at once: its own header says which. */
static void begin_body(struct mime_walk *walk, struct mime_layer *layer)
{
	const struct mime_kind *kind = &layer->kind;
	bool is_plain = kind->is_text || kind->is_other ||
			!(kind->is_multipart || kind->is_message);
	bool is_implied = walk->has_digest && !kind->is_implied &&
			  !(kind->is_multipart || kind->is_message ||
			    kind->is_text || kind->is_other);
	bool is_message = kind->is_message || is_implied;
	struct mime_boundaries *boundaries = &layer->boundaries;
	size_t brought;

	brought = boundaries->known - boundaries->count;
	mime_boundaries_take(boundaries, layer->doubtful_group);
	if (kind->is_multipart && brought == 0) {
		mime_boundaries_add(boundaries, "", 0);
		mime_boundaries_take(boundaries, 0);
		brought = 1;
	}
	layer->kind.is_message = is_message;
	layer->is_starting = is_plain || is_message;
	layer->start_length = 0;
	layer->is_text = (is_plain && !kind->is_other) || kind->is_uuencode;
	if (kind->is_base64 || kind->is_quoted_printable)
		open_body(walk, layer, boundaries->count - brought);
	layer->in_header = false;
	if (is_message) begin_header(layer);
	layer->kind.is_implied = is_implied;
}

/* Where it is doubtful, it is one if it says anything, or if nothing was there
   before it. That of a message which is said to be encoded shows, if it says
   anything, that this is not so. False: the body goes on. */
static bool end_header(struct mime_walk *walk, struct mime_layer *layer)
{
	bool is_decoded = layer->decoder.encoding != MIME_AS_IT_IS;
	bool is_busy = is_decoded || layer->is_starting || layer->is_text;

	end_field(walk, layer);
	if (!layer->kind.has_field &&
	    (layer->doubtful_group > 0 ? is_busy : is_decoded)) {
		layer->in_header = false;
		mime_boundaries_drop(&layer->boundaries);
		return false;
	}
	end_body(walk, layer);
	begin_body(walk, layer);
	return true;
}

/* A line behind a lone CR is a line to some only; to others it goes on. */
static void read_header_line(struct mime_walk *walk, struct mime_layer *layer,
			     const char *line, size_t length)
{
	enum mime_field_kind kind = MIME_NO_FIELD;
	size_t at = name_of_field(line, length, &kind);

	if (length == 0) {
		layer->is_skipped = end_header(walk, layer);
	} else if (is_blank(*line) || (layer->behind_cr && at == 0)) {
		if (layer->field == MIME_NO_FIELD) return;
		read_field(walk, layer, "\n ", layer->behind_cr ? 2 : 1);
		read_field(walk, layer, line, length);
	} else {
		end_field(walk, layer);
		if (at == 0) return;
		begin_field(layer, kind);
		read_field(walk, layer, line + at, length - at);
	}
}

/* ---- lines ---- */

/* Before the header is over, its own boundary ends it. */
static struct mime_match find_boundary(struct mime_walk *walk,
				       struct mime_layer *layer,
				       const char *line, size_t length)
{
	struct mime_boundaries *boundaries = &layer->boundaries;
	struct mime_match match = { 0 };

	if (length < 2 || line[0] != '-' || line[1] != '-') return match;
	if (layer->in_header) end_field(walk, layer);
	match = mime_boundaries_find(boundaries, line, length);
	if (!match.is_exact || !match.is_new) return match;
	end_header(walk, layer);
	return mime_boundaries_find(boundaries, line, length);
}

static void cross_boundary(struct mime_walk *walk, struct mime_layer *layer,
			   struct mime_match match)
{
	end_body(walk, layer);
	mime_boundaries_leave(&layer->boundaries, match.group);
	begin_header(layer);
	if (match.is_last) layer->in_header = false;
}

/* The beginning of a line, or all of it. */
static void read_head(struct mime_walk *walk, struct mime_layer *layer,
		      const char *line, size_t length)
{
	struct mime_match match = find_boundary(walk, layer, line, length);

	layer->in_line = true;
	layer->is_skipped = match.is_exact && !layer->behind_cr;
	if (layer->is_skipped) {
		cross_boundary(walk, layer, match);
		return;
	}
	if (layer->is_text) read_text_line(walk, layer, line, length);
	read_body(walk, layer, line, length);
	if (match.group > 0 &&
	    (!layer->in_header || layer->doubtful_group > 0)) {
		begin_header(layer);
		layer->doubtful_group = match.group;
	} else if (layer->in_header) {
		read_header_line(walk, layer, line, length);
	}
}

static void read_rest(struct mime_walk *walk, struct mime_layer *layer,
		      const char *bytes, size_t length)
{
	if (layer->is_skipped || length == 0) return;
	read_body(walk, layer, bytes, length);
	if (layer->in_header && layer->field != MIME_NO_FIELD)
		read_field(walk, layer, bytes, length);
}

/* As much of the line as has come. A line that is there from its beginning to
   its end is not copied. */
static void read_piece(struct mime_walk *walk, struct mime_layer *layer,
		       const char *bytes, size_t length, bool is_end)
{
	size_t room = sizeof layer->head - layer->head_length;
	size_t n = length < room ? length : room;

	if (!layer->in_line && is_end && layer->head_length == 0) {
		read_head(walk, layer, bytes, n);
	} else if (!layer->in_line) {
		memcpy(layer->head + layer->head_length, bytes, n);
		layer->head_length += n;
		if (n == length && !is_end) return;
		read_head(walk, layer, layer->head, layer->head_length);
	} else {
		n = 0;
	}
	read_rest(walk, layer, bytes + n, length - n);
	if (!is_end) return;
	if (!layer->is_skipped) read_body(walk, layer, "\n", 1);
	layer->in_line = false;
	layer->head_length = 0;
}

/* Behind a CR, of which there may be several: with an LF they are one line end. An
   empty line is one with that LF only. */
static const char *read_behind_cr(struct mime_walk *walk,
				  struct mime_layer *layer, const char *at)
{
	if (*at == '\r') return at + 1;
	layer->at_cr = false;
	layer->behind_cr = *at != '\n';
	if (layer->behind_cr) return at;
	if (layer->is_empty) read_piece(walk, layer, at, 0, true);
	return at + 1;
}

static const char *find_byte(const char *at, const char *end, char byte)
{
	const char *found = memchr(at, byte, (size_t)(end - at));

	return found ? found : end;
}

static void read_layer(struct mime_walk *walk, struct mime_layer *layer,
		       const char *bytes, size_t length)
{
	const char *at = bytes, *end = bytes + length;
	const char *lf = find_byte(at, end, '\n');
	const char *cr = find_byte(at, end, '\r');

	while (at < end && !is_idle(layer)) {
		const char *stop;

		if (layer->at_cr) {
			at = read_behind_cr(walk, layer, at);
			continue;
		}
		if (lf < at) lf = find_byte(at, end, '\n');
		if (cr < at) cr = find_byte(at, end, '\r');
		stop = lf < cr ? lf : cr;
		layer->is_empty = stop == at && !layer->in_line &&
				  layer->head_length == 0;
		layer->at_cr = stop < end && *stop == '\r';
		if (!layer->at_cr || !layer->is_empty)
			read_piece(walk, layer, at, (size_t)(stop - at),
				   stop < end);
		if (stop < end && !layer->at_cr) layer->behind_cr = false;
		at = stop + (stop < end);
	}
}

static void end_layer(struct mime_walk *walk, struct mime_layer *layer)
{
	if (!layer->in_line && layer->head_length > 0)
		read_head(walk, layer, layer->head, layer->head_length);
	if (layer->in_header) end_field(walk, layer);
	end_body(walk, layer);
}

void mime_start(struct mime_walk *walk, const struct mime_observer *observer)
{
	walk->observer = observer;
	walk->is_too_deep = walk->has_cut_name = walk->has_digest = false;
	start_layer(walk->layers);
}

void mime_read(struct mime_walk *walk, const char *bytes, size_t length)
{
	read_layer(walk, walk->layers, bytes, length);
}

void mime_end(struct mime_walk *walk)
{
	end_layer(walk, walk->layers);
}
