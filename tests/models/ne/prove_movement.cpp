// SPDX-License-Identifier: Apache-2.0
// Instructions that move elements.
#include <algorithm>

#include "tests/models/ne/exact_bench.h"

namespace npuvp::test {
namespace {

bool stop() {
  return testing::Test::HasFatalFailure();
}

/// Operands of one GATHER or SCATTER; rows of the table are named several times, from its end too.
struct Moved {
  Moved(Session& session, const Form& form, unsigned trial) : command(test::command(npu_ne_opcode(form.opcode))) {
    npu_gather& c = command.u.gather;
    c.rows = session.size(40);
    c.columns = session.size(150);
    c.table_rows = session.size(trial % 2 == 0 ? 4 : 30);
    c.type = form.type;
    c.mode = form.operation;
    session.start();
    data = session.place(form.type, 1, c.rows, c.columns, Mix::kBits);
    table = session.place(form.type, 1, c.table_rows, c.columns, Mix::kBits);
    const Tensor index = session.place(NPU_TYPE_INT32, 1, 1, c.rows, Mix::kBits);
    const auto last = static_cast<int32_t>(c.table_rows);
    for (uint32_t i = 0; i < c.rows; ++i) {
      const int32_t drawn = static_cast<int32_t>(session.random() % (2 * c.table_rows)) - last;
      index.set(session.memory(), 0, 0, i, static_cast<uint32_t>(drawn));
      rows.push_back(static_cast<uint32_t>(drawn < 0 ? drawn + last : drawn));
    }
    c.data = data.place.offset;
    c.data_stride = data.place.row_stride;
    c.table = table.place.offset;
    c.table_stride = table.place.row_stride;
    c.index = index.place.offset;
  }

  npu_command command;
  Tensor data{};
  Tensor table{};
  std::vector<uint32_t> rows;  // of the table, by index
};

uint32_t combined(uint8_t mode, uint8_t type, uint32_t was, uint32_t with) {
  if (mode == NPU_SCATTER_STORE) return with;
  const unsigned operation = mode == NPU_SCATTER_ADD       ? NPU_OP_ADD
                             : mode == NPU_SCATTER_MAXIMUM ? NPU_OP_MAXIMUM
                                                           : NPU_OP_MINIMUM;
  const npu_result same{type, NPU_ROUND_NEAREST_EVEN, NPU_SATURATE_INTEGERS, 0};
  const Typed x{type, was};
  const Typed y{type, with};
  return bits_of_number(
      same, integer_type(type) ? apply_integers(operation, x.i(), y.i(), 0) : apply_floats(operation, x.f(), y.f(), 0));
}

/// Every pair of edges once: the table's row and the row that meets it.
uint64_t scatter_edges(Session& session, const Form& form) {
  const auto& all = edges(form.type);
  const auto count = static_cast<uint32_t>(all.size());
  npu_command command = test::command(NPU_NE_SCATTER);
  npu_gather& c = command.u.gather;
  c.rows = c.table_rows = c.columns = count;
  c.type = form.type;
  c.mode = form.operation;
  session.start();
  const Tensor data = session.place(form.type, 1, count, count, Mix::kEdges);
  const Tensor table = session.place(form.type, 1, count, count, Mix::kEdges);
  const Tensor index = session.place(NPU_TYPE_INT32, 1, 1, count, Mix::kEdges);
  for (uint32_t i = 0; i < count; ++i) {
    index.set(session.memory(), 0, 0, i, i);
    for (uint32_t n = 0; n < count; ++n) {
      data.set(session.memory(), 0, i, n, all[i]);
      table.set(session.memory(), 0, i, n, all[n]);
    }
  }
  c.data = data.place.offset;
  c.data_stride = data.place.row_stride;
  c.table = table.place.offset;
  c.table_stride = table.place.row_stride;
  c.index = index.place.offset;
  Bytes& expected = session.expect();
  for (uint32_t i = 0; i < count; ++i) {
    for (uint32_t n = 0; n < count; ++n) table.set(expected, 0, i, n, combined(c.mode, form.type, all[n], all[i]));
  }
  session.run(command);
  return uint64_t{count} * count;
}

}  // namespace

uint64_t prove_gather(Session& session, const Form& form) {
  uint64_t cases = 0;
  for (unsigned trial = 0; cases < kCases && !stop(); ++trial) {
    const Moved moved(session, form, trial);
    Bytes& expected = session.expect();
    for (uint32_t i = 0; i < moved.data.rows; ++i) {
      for (uint32_t n = 0; n < moved.data.columns; ++n) {
        moved.data.set(expected, 0, i, n, moved.table.get(session.memory(), 0, moved.rows[i], n));
      }
    }
    session.run(moved.command);
    cases += uint64_t{moved.data.rows} * moved.data.columns;
  }
  return cases;
}

uint64_t prove_scatter(Session& session, const Form& form) {
  (void)scatter_edges(session, form);
  uint64_t cases = 0;
  for (unsigned trial = 0; cases < kCases && !stop(); ++trial) {
    const Moved moved(session, form, trial);
    Bytes& expected = session.expect();
    for (uint32_t i = 0; i < moved.data.rows; ++i) {
      for (uint32_t n = 0; n < moved.data.columns; ++n) {
        const uint32_t was = moved.table.get(expected, 0, moved.rows[i], n);
        const uint32_t with = moved.data.get(session.memory(), 0, i, n);
        moved.table.set(expected, 0, moved.rows[i], n, combined(form.operation, form.type, was, with));
      }
    }
    session.run(moved.command);
    cases += uint64_t{moved.data.rows} * moved.data.columns;
  }
  return cases;
}

uint64_t prove_top_k(Session& session, const Form& form) {
  uint64_t cases = 0;
  for (unsigned trial = 0; cases < kCases && !stop(); ++trial) {
    npu_command command = test::command(NPU_NE_TOP_K);
    npu_top_k& c = command.u.top_k;
    c.rows = session.size(12);
    c.columns = session.size(trial % 8 == 3 ? 2000 : 300);
    c.k = session.size(c.columns);
    c.type = form.type;
    c.flags = static_cast<uint8_t>(trial % 2);
    session.start();
    const Tensor in = session.place(form.type, 1, c.rows, c.columns, trial % 3 == 0 ? Mix::kEdges : Mix::kBits);
    for (uint32_t n = 0; n < c.columns; n += 3) {  // many alike
      in.set(session.memory(), 0, 0, n, in.get(session.memory(), 0, 0, 0));
    }
    const Tensor values = session.place(form.type, 1, c.rows, c.k, Mix::kBits);
    const Tensor indices = session.place(NPU_TYPE_INT32, 1, c.rows, c.k, Mix::kBits);
    c.in = in.place.offset;
    c.in_stride = in.place.row_stride;
    c.values = values.place.offset;
    c.values_stride = values.place.row_stride;
    c.indices = indices.place.offset;
    c.indices_stride = indices.place.row_stride;
    Bytes& expected = session.expect();
    for (uint32_t row = 0; row < c.rows; ++row) {
      std::vector<std::pair<long double, uint32_t>> order;
      for (uint32_t n = 0; n < c.columns; ++n) {
        const Typed element{form.type, in.get(session.memory(), 0, row, n)};
        long double key = integer_type(form.type) ? static_cast<long double>(element.i()) : element.f();
        if (std::isnan(key)) key = 1e400L;  // above all, infinity becomes less
        if (std::isinf(key)) key = std::copysign(1e300L, key);
        order.emplace_back(c.flags != 0 ? key : -key, n);
      }
      std::sort(order.begin(), order.end());
      for (uint32_t i = 0; i < c.k; ++i) {
        values.set(expected, 0, row, i, in.get(session.memory(), 0, row, order[i].second));
        indices.set(expected, 0, row, i, order[i].second);
      }
    }
    session.run(command);
    cases += uint64_t{c.rows} * c.k;
  }
  return cases;
}

uint64_t prove_transpose(Session& session, const Form& form) {
  uint64_t cases = 0;
  for (unsigned trial = 0; cases < kCases && !stop(); ++trial) {
    npu_command command = test::command(NPU_NE_TRANSPOSE);
    npu_transpose& c = command.u.transpose;
    c.planes = session.size(3);
    c.rows = session.size(trial % 8 == 0 ? 400 : 90);
    c.columns = session.size(90);
    c.type = form.type;
    session.start();
    const Tensor in = session.place(form.type, c.planes, c.rows, c.columns, Mix::kBits);
    const Tensor out = session.place(form.type, c.planes, c.columns, c.rows, Mix::kBits);
    c.in = in.place;
    c.out = out.place;
    Bytes& expected = session.expect();
    for (uint32_t plane = 0; plane < c.planes; ++plane) {
      for (uint32_t row = 0; row < c.rows; ++row) {
        for (uint32_t n = 0; n < c.columns; ++n) {
          out.set(expected, plane, n, row, in.get(session.memory(), plane, row, n));
        }
      }
    }
    session.run(command);
    cases += uint64_t{c.planes} * c.rows * c.columns;
  }
  return cases;
}

}  // namespace npuvp::test
