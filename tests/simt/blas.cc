/* blas.cc: cuBLASLt as plain loops: matrices by columns, transposes, strided batches, bias and rectifier as epilogues, factors
 * as the faster kinds of product round them. Refuses what the library refuses, as far as jamroll could ask for it. */
#include <math.h>
#include <string.h>
#include <vector>
#include "cublasLt.h"
#include "cuda_runtime.h"

struct simt_blas { int unused; };
struct simt_preference { uint64_t workspace; };
struct simt_matmul {
    cublasComputeType_t compute;
    cublasOperation_t ta, tb;
    cublasLtEpilogue_t epilogue;
    const float *bias;
};
struct simt_layout {
    uint64_t rows, cols;
    int64_t ld;
    int32_t batch;
    int64_t stride;
};

namespace {

/* What a faster kind of product keeps of a factor. */
float narrowed(float f, cublasComputeType_t compute)
{
    uint32_t bits, cut = compute == CUBLAS_COMPUTE_32F_FAST_TF32 ? 13 : compute == CUBLAS_COMPUTE_32F_FAST_16BF ? 16 : 0;
    if (!cut || !isfinite(f))
        return f;
    memcpy(&bits, &f, sizeof(bits));
    bits = (bits + (1u << (cut - 1))) >> cut << cut;
    memcpy(&f, &bits, sizeof(f));
    return f;
}

size_t place(const simt_layout &l, size_t row, size_t col)
{
    return col * (size_t)l.ld + row;
}

/* op(x) of one batch as rows x cols, contiguous. */
std::vector<float> gather(const float *p, const simt_layout &l, size_t first, bool transposed, cublasComputeType_t compute)
{
    size_t rows = transposed ? l.cols : l.rows, cols = transposed ? l.rows : l.cols;
    std::vector<float> v(rows * cols);
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < cols; c++)
            v[r * cols + c] = narrowed(p[first + (transposed ? place(l, c, r) : place(l, r, c))], compute);
    return v;
}

float finish(float v, const simt_matmul &d, size_t row)
{
    if (d.epilogue & CUBLASLT_EPILOGUE_BIAS)
        v += d.bias[row];
    if (d.epilogue & CUBLASLT_EPILOGUE_RELU)
        v = v > 0 ? v : 0;
    return v;
}

struct product {
    simt_matmul d;
    float alpha, beta;
    const float *a, *b, *c;
    float *out;
    simt_layout la, lb, lc, lout;
};

void run_batch(const product &p, size_t i)
{
    std::vector<float> a = gather(p.a, p.la, i * (size_t)p.la.stride, p.d.ta == CUBLAS_OP_T, p.d.compute),
                       b = gather(p.b, p.lb, i * (size_t)p.lb.stride, p.d.tb == CUBLAS_OP_T, p.d.compute);
    size_t m = p.lout.rows, n = p.lout.cols, k = p.d.ta == CUBLAS_OP_T ? p.la.rows : p.la.cols;
    size_t first = i * (size_t)p.lout.stride, first_c = i * (size_t)p.lc.stride;
    std::vector<float> row(n);
    for (size_t r = 0; r < m; r++) {
        row.assign(n, 0);
        for (size_t x = 0; x < k; x++) {
            float f = a[r * k + x];
            const float *from = &b[x * n];
            for (size_t c = 0; c < n; c++)
                row[c] += f * from[c];
        }
        for (size_t c = 0; c < n; c++) {
            float v = p.alpha * row[c];
            if (p.beta != 0)
                v += p.beta * p.c[first_c + place(p.lc, r, c)];
            p.out[first + place(p.lout, r, c)] = finish(v, p.d, r);
        }
    }
}

bool sound(const simt_layout &l)
{
    return l.rows && l.cols && l.ld >= (int64_t)l.rows && l.batch >= 1;
}

bool supported(const simt_matmul &d, const simt_layout &a, const simt_layout &b, const simt_layout &c, const simt_layout &out)
{
    size_t m = d.ta == CUBLAS_OP_T ? a.cols : a.rows, k = d.ta == CUBLAS_OP_T ? a.rows : a.cols;
    size_t kb = d.tb == CUBLAS_OP_T ? b.cols : b.rows, n = d.tb == CUBLAS_OP_T ? b.rows : b.cols;
    if (!sound(a) || !sound(b) || !sound(c) || !sound(out) || k != kb || m != out.rows || n != out.cols || c.rows != out.rows ||
        c.cols != out.cols)
        return false;
    return a.batch == out.batch && b.batch == out.batch && c.batch == out.batch;
}

template <class T> cublasStatus_t take(T *to, const void *v, size_t bytes)
{
    if (!v || bytes != sizeof(T))
        return CUBLAS_STATUS_INVALID_VALUE;
    memcpy(to, v, bytes);
    return CUBLAS_STATUS_SUCCESS;
}

} // namespace

const char *cublasLtGetStatusString(cublasStatus_t s)
{
    return s == CUBLAS_STATUS_SUCCESS         ? "success"
           : s == CUBLAS_STATUS_INVALID_VALUE ? "invalid value"
           : s == CUBLAS_STATUS_NOT_SUPPORTED ? "not supported"
                                              : "execution failed";
}

cublasStatus_t cublasLtCreate(cublasLtHandle_t *h)
{
    *h = new simt_blas();
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtDestroy(cublasLtHandle_t h)
{
    delete h;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t *d, cublasComputeType_t compute, cudaDataType scale)
{
    if (scale != CUDA_R_32F)
        return CUBLAS_STATUS_NOT_SUPPORTED;
    *d = new simt_matmul{ compute, CUBLAS_OP_N, CUBLAS_OP_N, CUBLASLT_EPILOGUE_DEFAULT, nullptr };
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t d)
{
    delete d;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t d, cublasLtMatmulDescAttributes_t a, const void *v,
                                              size_t bytes)
{
    switch (a) {
    case CUBLASLT_MATMUL_DESC_TRANSA: return take(&d->ta, v, bytes);
    case CUBLASLT_MATMUL_DESC_TRANSB: return take(&d->tb, v, bytes);
    case CUBLASLT_MATMUL_DESC_EPILOGUE: return take(&d->epilogue, v, bytes);
    case CUBLASLT_MATMUL_DESC_BIAS_POINTER: return take(&d->bias, v, bytes);
    default: return CUBLAS_STATUS_NOT_SUPPORTED;
    }
}

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t *l, cudaDataType type, uint64_t rows, uint64_t cols,
                                          int64_t ld)
{
    if (type != CUDA_R_32F)
        return CUBLAS_STATUS_NOT_SUPPORTED;
    *l = new simt_layout{ rows, cols, ld, 1, 0 };
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t l)
{
    delete l;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatrixLayoutSetAttribute(cublasLtMatrixLayout_t l, cublasLtMatrixLayoutAttribute_t a, const void *v,
                                                size_t bytes)
{
    switch (a) {
    case CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT: return take(&l->batch, v, bytes);
    case CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET: return take(&l->stride, v, bytes);
    default: return CUBLAS_STATUS_NOT_SUPPORTED;
    }
}

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t *p)
{
    *p = new simt_preference();
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t p)
{
    delete p;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t p, cublasLtMatmulPreferenceAttributes_t a,
                                                    const void *v, size_t bytes)
{
    return a == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES ? take(&p->workspace, v, bytes) : CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t, cublasLtMatmulDesc_t d, cublasLtMatrixLayout_t a,
                                              cublasLtMatrixLayout_t b, cublasLtMatrixLayout_t c,
                                              cublasLtMatrixLayout_t out, cublasLtMatmulPreference_t, int wanted,
                                              cublasLtMatmulHeuristicResult_t *results, int *found)
{
    *found = 0;
    if (wanted < 1)
        return CUBLAS_STATUS_INVALID_VALUE;
    if (!supported(*d, *a, *b, *c, *out))
        return CUBLAS_STATUS_NOT_SUPPORTED;
    *found = 1;
    results[0] = {};
    results[0].wavesCount = 1;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t, cublasLtMatmulDesc_t d, const void *alpha, const void *a,
                              cublasLtMatrixLayout_t la, const void *b, cublasLtMatrixLayout_t lb, const void *beta,
                              const void *c, cublasLtMatrixLayout_t lc, void *out, cublasLtMatrixLayout_t lout,
                              const cublasLtMatmulAlgo_t *, void *, size_t, cudaStream_t s)
{
    if (!supported(*d, *la, *lb, *lc, *lout))
        return CUBLAS_STATUS_NOT_SUPPORTED;
    if (simt_check_launch(dim3(1), dim3(1), 0, 0) != cudaSuccess)
        return CUBLAS_STATUS_EXECUTION_FAILED;
    product p = { *d, *static_cast<const float *>(alpha), *static_cast<const float *>(beta), static_cast<const float *>(a),
                  static_cast<const float *>(b), static_cast<const float *>(c), static_cast<float *>(out), *la, *lb, *lc, *lout };
    simt_enqueue(s, [=] {
        for (int32_t i = 0; i < p.lout.batch; i++)
            run_batch(p, (size_t)i);
    });
    return CUBLAS_STATUS_SUCCESS;
}
