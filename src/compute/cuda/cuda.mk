# The module with the CUDA kernels. Sets CUDA_MODULE (empty: not built) and DEVICE_TESTS.
# GPUs to compile for. Where nobody asks for a GPU build (auto), none: the driver compiles for whatever is there, once.
CUDA_ARCHS ?= $(if $(filter 1,$(CUDA)),75 80 86 89 90)
CUDA_LEAST = 75
# Those that heed JAMROLL_TEST_DEVICE.
DEVICE_TESTS := cuda $(patsubst tests/unit/test_%.c,%,$(shell grep -lE '"(on|group)\.h"' tests/unit/*.c))

CUDA_HOME ?=
NVCC := $(if $(CUDA_HOME),$(wildcard $(CUDA_HOME)/bin/nvcc),$(shell command -v nvcc 2>/dev/null))
CUDA_ROOT := $(if $(CUDA_HOME),$(CUDA_HOME),$(abspath $(dir $(realpath $(NVCC)))..))
CUDA_LIB_DIRS := $(CUDA_ROOT)/lib64 $(CUDA_ROOT)/lib $(wildcard $(CUDA_ROOT)/targets/*/lib /usr/lib/*-linux-gnu)
CUDA_INCLUDE := $(patsubst %/cublasLt.h,%,$(firstword $(wildcard $(addsuffix /cublasLt.h,$(CUDA_ROOT)/include /usr/include))))
CUDART := $(firstword $(wildcard $(addsuffix /libcudart_static.a,$(CUDA_LIB_DIRS))))
CUBLASLT := $(firstword $(wildcard $(addsuffix /libcublasLt.so,$(CUDA_LIB_DIRS)) \
                                   $(addsuffix /libcublasLt.so.*,$(CUDA_LIB_DIRS))))

CUDA_LACKS := $(strip $(if $(NVCC),,nvcc) $(if $(CUDA_INCLUDE),,cublasLt.h) $(if $(CUDART),,libcudart_static.a) \
                      $(if $(CUBLASLT),,libcublasLt.so))
ifeq ($(CUDA)$(CUDA_LACKS),1)
WITH_CUDA = 1
else ifeq ($(CUDA),1)
$(error CUDA=1: not found: $(CUDA_LACKS) (looked in $(if $(CUDA_HOME),CUDA_HOME=$(CUDA_HOME),the PATH and beside its nvcc)))
else ifeq ($(CUDA)$(CUDA_LACKS),auto)
WITH_CUDA = 1
endif
# The library half built, or sanitized: the module is for the whole program as it ships.
ifeq ($(SAN),1)
WITH_CUDA =
endif
CUDA_MODULE := $(if $(WITH_CUDA),$(B)/jamroll-cuda.so)

CUDA_SRC = $(wildcard src/compute/cuda/*.c)
CUDA_CU = $(wildcard src/compute/cuda/*.cu)
CUDA_OBJ = $(CUDA_SRC:%.c=$(B)/cuda/%.o) $(CUDA_CU:%.cu=$(B)/cuda/%.cu.o)
NVCC_FLAGS = -Iinclude -std=c++17 -O3 -lineinfo -Xcompiler -fPIC,-fvisibility=hidden,-Wall,-Wextra \
             $(foreach a,$(CUDA_ARCHS),-gencode arch=compute_$(a),code=sm_$(a)) \
             -gencode arch=compute_$(lastword $(CUDA_LEAST) $(CUDA_ARCHS)),code=compute_$(lastword $(CUDA_LEAST) $(CUDA_ARCHS))
ifeq ($(WERROR),1)
NVCC_FLAGS += -Werror all-warnings
endif

cuda: $(B)/jamroll-cuda.so
list-device-tests:
	@echo $(DEVICE_TESTS)

# Hidden names: the program has kernels of the same names, and exports them.
$(B)/jamroll-cuda.so: $(CUDA_OBJ)
	$(CC) -shared -Wl,-Bsymbolic -Wl,-rpath,$(dir $(CUBLASLT)) -o $@ $^ $(CUDART) $(CUBLASLT) -lpthread -ldl -lrt -lm

$(B)/cuda/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -isystem $(CUDA_INCLUDE) $(CFLAGS) -fPIC -fvisibility=hidden -MMD -MP -c -o $@ $<

$(B)/cuda/%.cu.o: %.cu
	@mkdir -p $(@D)
	$(NVCC) $(NVCC_FLAGS) -MMD -MP -c -o $@ $<

-include $(CUDA_OBJ:.o=.d)
