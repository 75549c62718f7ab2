# jamroll. Everything is built under $(B); nothing outside it is written but by `install`.
#
#   make             the program $(B)/jamroll and the library $(B)/libjamroll.a
#   make check       unit tests, layers, screen and command-line tests (SAN=1: address and UB sanitizers)
#   make bench       speed, as ratios measured in one run
#   make install     into $(DESTDIR)$(PREFIX)
#
# Variables: CC, SAN=0|1, CUDA=0|1|auto, PREFIX, DESTDIR, WERROR=0|1, B (build folder), T (one unit test),
# MODULES (a part of the library: make lib MODULES="base music").

SAN ?= 0
CUDA ?= auto
WERROR ?= 1
PREFIX ?= /usr/local
DESTDIR ?=
B ?= build$(if $(filter 1,$(SAN)),/san)
MODULES ?= base music compute nn model audio engine app
PKGS = ncursesw fluidsynth sndfile jansson zlib libpng

CFLAGS ?= -O3 -g
CFLAGS += -std=gnu11 -fno-math-errno -ffp-contract=fast -fno-trapping-math
CFLAGS += -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
CPPFLAGS += -Iinclude -D_GNU_SOURCE -DJAMROLL_PREFIX='"$(PREFIX)"' $(shell pkg-config --cflags $(PKGS))
LDLIBS += $(shell pkg-config --libs $(PKGS)) -lportmidi -lpthread -lm -ldl
ifeq ($(WERROR),1)
CFLAGS += -Werror
endif
ifeq ($(SAN),1)
CFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -O1
LDFLAGS += -fsanitize=address,undefined
endif

LIB_SRC = $(foreach m,$(MODULES),$(wildcard src/$(m)/*.c src/$(m)/*/*.c))
APP_SRC = $(wildcard src/*.c src/tui/*.c src/cli/*.c)
TEST_SRC = $(wildcard tests/unit/test_*.c)
LIB_OBJ = $(LIB_SRC:%.c=$(B)/%.o)
APP_OBJ = $(APP_SRC:%.c=$(B)/%.o)
TESTS = $(TEST_SRC:tests/unit/test_%.c=$(B)/unit/test_%)
TEST_LIB = $(patsubst %.c,$(B)/%.o,$(wildcard tests/lib/*.c))

all: $(B)/jamroll

lib: $(B)/libjamroll.a

$(B)/jamroll: $(APP_OBJ) $(B)/libjamroll.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(B)/libjamroll.a: $(LIB_OBJ)
	@rm -f $@
	$(AR) rcs $@ $^

# ISA-specific kernels carry their own flags; everything else runs on any x86-64 (or other) machine.
$(B)/src/compute/cpu/%_avx512.o: CFLAGS += -mavx512f -mavx512bw -mavx512vl -mavx512dq -mfma -mprefer-vector-width=512
$(B)/src/compute/cpu/%_avx2.o: CFLAGS += -mavx2 -mfma

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(B)/unit/test_%: $(B)/tests/unit/test_%.o $(TEST_LIB) $(B)/libjamroll.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcmocka
$(B)/tests/%.o: CPPFLAGS += -Itests/lib -Isrc

# One unit test: make unit T=midi
unit: $(B)/unit/test_$(T)
	$(B)/unit/test_$(T)

clean:
	rm -rf build

-include $(shell find $(B) -name '*.d' 2>/dev/null)

.PHONY: all lib unit clean
.SECONDARY:
