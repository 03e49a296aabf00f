// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* s2lab decode: the command line, and the output of the decoders. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "commands.h"
#include "common/lab.h"
#include "common/lines.h"
#include "common/options.h"
#include "common/report.h"
#include "common/tlbi.h"
#include "decode.h"

static const char usage[] =
	"usage: s2lab decode desc VALUE... --level N [--granule 4k|16k|64k] [--features LIST]\n"
	"       s2lab decode vtcr VALUE...\n"
	"       s2lab decode vttbr VALUE... [--vtcr VALUE]\n"
	"       s2lab decode tlbi NAME OPERAND... [--granule 4k|16k|64k] [--features LIST]\n"
	"\n"
	"Takes values apart field by field and says what is reserved or contradictory.\n"
	"VALUE is a number, decimal or 0x...; \"-\" reads values from standard input, one\n"
	"to a line.\n"
	"\n"
	"  --level N        of the descriptor: -1 to 3\n"
	"  --granule SIZE   4k, 16k or 64k (4k)\n"
	"  --features LIST  fwb, lpa2, xnx, hafdbs count for descriptors, lpa2 for tlbi;\n"
	"                   lpa2 means VTCR_EL2.DS = 1, with 64k a 52-bit PA (none)\n"
	"  --vtcr VALUE     the VTCR_EL2 that goes with a VTTBR_EL2\n"
	"  --json           print an object\n"
	"\n"
	"NAME is ipas2e1, ipas2le1, ripas2e1, ripas2le1, vmalle1, vmalls12e1 or alle1,\n"
	"also with is, os and nxs after it.\n";

/* ---- output ---- */

static int by_position(const void *a, const void *b)
{
	const struct decoded_field *x = a, *y = b;

	return (int)x->lo - (int)y->lo;
}

static void print_text(const struct decoded *d, const char *what)
{
	const char *off = lab_style(stdout, LAB_PLAIN);

	printf("%s%s 0x%016" PRIx64 "%s  %s\n", lab_style(stdout, LAB_BOLD), what,
	       d->value, off, d->summary);
	for (unsigned i = 0; i < d->fields; i++) {
		const struct decoded_field *f = &d->field[i];
		char bits[16], value[24];
		uint64_t v = decode_bits(d->value, f->hi, f->lo);

		if (f->hi == f->lo)
			snprintf(bits, sizeof(bits), "[%u]", f->hi);
		else
			snprintf(bits, sizeof(bits), "[%u:%u]", f->hi, f->lo);
		snprintf(value, sizeof(value), f->hi == f->lo ? "%" PRIu64 : "0x%" PRIx64,
			 v);
		printf("  %-8s %-12s %-14s %s\n", bits, f->name, value, f->means);
	}
	for (unsigned i = 0; i < d->problems; i++)
		printf("  %s!%s %s\n", lab_style(stdout, LAB_BAD), off, d->problem[i]);
}

static void add_hex(cJSON *o, const char *name, uint64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, v);
	cJSON_AddStringToObject(o, name, text);
}

static cJSON *to_json(const struct decoded *d)
{
	cJSON *o = cJSON_CreateObject(), *list;

	add_hex(o, "value", d->value);
	cJSON_AddStringToObject(o, "summary", d->summary);
	list = cJSON_AddArrayToObject(o, "fields");
	for (unsigned i = 0; i < d->fields; i++) {
		const struct decoded_field *f = &d->field[i];
		cJSON *e = cJSON_CreateObject();

		cJSON_AddNumberToObject(e, "high", f->hi);
		cJSON_AddNumberToObject(e, "low", f->lo);
		cJSON_AddStringToObject(e, "name", f->name);
		add_hex(e, "value", decode_bits(d->value, f->hi, f->lo));
		cJSON_AddStringToObject(e, "means", f->means);
		cJSON_AddItemToArray(list, e);
	}
	list = cJSON_AddArrayToObject(o, "problems");
	for (unsigned i = 0; i < d->problems; i++)
		cJSON_AddItemToArray(list, cJSON_CreateString(d->problem[i]));
	return o;
}

/* ---- values ---- */

enum what { DESC, VTCR, VTTBR, TLBI };
static const char *const whats[] = { "desc", "vtcr", "vttbr", "tlbi", NULL };

struct job {
	enum what what;
	const char *title;
	struct decode_config config;
	const struct tlbi_name *tlbi;
	cJSON *json; /* an array, or NULL for text */
	unsigned done;
};

static void run(struct job *job, uint64_t value)
{
	struct decoded d = { .value = value };
	struct tlbi_reach reach;

	switch (job->what) {
	case DESC:
		decode_desc(&d, &job->config);
		break;
	case VTCR:
		decode_vtcr(&d);
		break;
	case VTTBR:
		decode_vttbr(&d, &job->config);
		break;
	case TLBI:
		decode_tlbi(&d, job->tlbi, &job->config, &reach);
		break;
	}
	qsort(d.field, d.fields, sizeof(d.field[0]), by_position);
	if (job->json) {
		cJSON_AddItemToArray(job->json, to_json(&d));
	} else {
		if (job->done)
			putchar('\n');
		print_text(&d, job->title);
	}
	job->done++;
}

/*
 * Reads the number, decimal or 0x, at line[start]. *at is the end of it and of the blanks
 * after it, or the place of the error. Return: NULL, or the error.
 */
static const char *parse_value(const char *line, size_t start, size_t *at, uint64_t *v)
{
	bool hex = !strncmp(line + start, "0x", 2);
	const char *digits = line + start + (hex ? 2 : 0);
	size_t n = strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789");

	*at = start;
	if (!n)
		return "not a number (decimal or 0x...)";
	errno = 0;
	*v = strtoull(digits, NULL, hex ? 16 : 10);
	if (errno)
		return "the number does not fit 64 bits";
	digits += n;
	*at = (size_t)(digits - line) + strspn(digits, " \t");
	return NULL;
}

static int run_lines(struct job *job)
{
	const char *line, *what;
	struct lines *in = lines_open("-", false);
	unsigned n = 0;
	size_t len;
	int got;

	if (!in) {
		fprintf(stderr, "<stdin>: %s\n", strerror(errno));
		return LAB_USAGE;
	}
	while ((got = lines_next(in, &line, &len, &what)) > 0) {
		size_t start = strspn(line, " \t"), at;
		uint64_t v;

		n++;
		if (start == len)
			continue;
		what = parse_value(line, start, &at, &v);
		if (what || at != len) {
			fprintf(stderr, "<stdin>:%u:%zu: %s\n", n, at + 1,
				what ? what : "not a digit of a number");
			break;
		}
		run(job, v);
	}
	lines_close(in);
	if (got < 0)
		fprintf(stderr, "<stdin>:%u:%zu: %s\n", n + 1, len + 1, what);
	return got ? LAB_USAGE : LAB_OK;
}

enum { O_LEVEL = 1, O_GRANULE, O_FEATURES, O_VTCR, O_JSON };

static const struct option options[] = {
	{ "level", required_argument, NULL, O_LEVEL },
	{ "granule", required_argument, NULL, O_GRANULE },
	{ "features", required_argument, NULL, O_FEATURES },
	{ "vtcr", required_argument, NULL, O_VTCR },
	{ "json", no_argument, NULL, O_JSON },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static bool parse_option(int id, struct job *job, bool *has_level, bool *json)
{
	uint64_t n;

	switch (id) {
	case O_LEVEL:
		*has_level = true;
		if (!strcmp(optarg, "-1")) {
			job->config.level = -1;
			return true;
		}
		if (!lab_parse_number("--level", optarg, 0, 3, &n))
			return false;
		job->config.level = (int)n;
		return true;
	case O_GRANULE:
		return lab_parse_granule("--granule", optarg, &job->config.page_shift);
	case O_FEATURES:
		return lab_parse_features("--features", optarg, &job->config.features);
	case O_VTCR:
		job->config.has_vtcr = true;
		return lab_parse_number("--vtcr", optarg, 0, UINT64_MAX,
					&job->config.vtcr);
	default:
		*json = true;
		return true;
	}
}

/* Checks --level: level -1 exists with 4 KiB granules and LPA2 only. */
static int check(struct job *job, bool has_level)
{
	bool wide = job->config.features & S2_FEAT_LPA2;
	int first = job->config.page_shift == 12 ? (wide ? -1 : 0) :
		    job->config.page_shift == 14 ? 0 :
						   1;

	if (job->what != DESC)
		return has_level ? lab_usage("--level goes with desc only") : LAB_OK;
	if (!has_level)
		return lab_usage("desc needs --level");
	if (job->config.level < first)
		return lab_usage("this granule has no level %d%s", job->config.level,
				 job->config.level < 0 && job->config.page_shift == 12 ?
					 " without lpa2" :
					 "");
	return LAB_OK;
}

int cmd_decode(int argc, char **argv)
{
	struct job job = { .config = { .page_shift = 12 } };
	bool has_level = false, json = false;
	int id, what, status;

	while ((id = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (id == 'h') {
			fputs(usage, stdout);
			return LAB_OK;
		}
		if (id == '?') {
			fputs("Try 's2lab decode --help'.\n", stderr);
			return LAB_USAGE;
		}
		if (!parse_option(id, &job, &has_level, &json))
			return LAB_USAGE;
	}
	if (optind == argc)
		return lab_usage("decode what? desc, vtcr, vttbr or tlbi");
	what = lab_parse_name("decode", "kind of value", argv[optind], whats);
	if (what < 0)
		return LAB_USAGE;
	job.what = (enum what)what;
	job.title = argv[optind++];
	status = check(&job, has_level);
	if (status != LAB_OK)
		return status;
	if (job.what == TLBI) {
		if (optind == argc)
			return lab_usage("tlbi needs the name of an instruction");
		job.title = argv[optind++];
		job.tlbi = decode_tlbi_find(job.title);
		if (!job.tlbi)
			return lab_usage("no stage-2 TLBI '%s'", job.title);
	}
	if (optind == argc)
		return lab_usage("%s needs a value", job.title);
	if (json)
		job.json = cJSON_CreateArray();
	for (; optind < argc && status == LAB_OK; optind++) {
		uint64_t v;

		if (!strcmp(argv[optind], "-"))
			status = run_lines(&job);
		else if (lab_parse_number(job.title, argv[optind], 0, UINT64_MAX, &v))
			run(&job, v);
		else
			status = LAB_USAGE;
	}
	if (json) {
		cJSON *top = cJSON_CreateObject();

		cJSON_AddStringToObject(top, "kind", job.title);
		cJSON_AddItemToObject(top, "values", job.json);
		if (status == LAB_OK)
			lab_json_print(top);
		else
			cJSON_Delete(top);
	}
	return status;
}
