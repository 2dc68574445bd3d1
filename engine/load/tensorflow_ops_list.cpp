// Lists of tensors: TensorList of TensorFlow 2, TensorArray of TensorFlow 1. A list is a tensor whose dimension 0
// enumerates its elements; see TfList for those that a loop makes.
#include "load/tensorflow_ops.h"

namespace neural_engine {

namespace {

const TfList& list_of(TfNode& n, size_t i) {
  const TfValue& value = n.value(i);
  if (!value.is(TfValue::Kind::kList)) n.invalid("input ", i, " is no list");
  return *value.list;
}

// The elements. Reading a list that is only reserved would read what was never written.
ValueId elements(TfNode& n, const TfList& list) {
  if (list.stacked == kNoValue)
    n.unsupported("a list is read before it is written, or inside of the loop that writes it");
  return list.stacked;
}

ValueId scalar(TfNode& n, ValueId value) { return n.rank(value) == 0 ? value : n.reshape(value, {}); }

void reserve(TfNode& n) {
  n.ignore({"shape_type"});
  TfList list;
  list.dtype = n.take_dtype("element_dtype");
  n.ignore_input(0);  // the shape of elements: what is written has it
  list.length = n.input(1);
  n.set_output(0, TfValue::of_list(std::move(list)));
}

void from_tensor(TfNode& n) {
  n.ignore({"shape_type"});
  TfList list;
  list.stacked = n.input(0);
  list.dtype = n.dtype(list.stacked);
  n.ignore_input(1);
  n.set_output(0, TfValue::of_list(std::move(list)));
}

ValueId take(TfNode& n, const TfList& list, ValueId index) {
  return n.add("Gather", {elements(n, list), scalar(n, index)}, {{"axis", int64_t{0}}, {"from_end", int64_t{0}}});
}

// The list with another element at the index.
TfValue put(TfNode& n, const TfList& list, ValueId index, ValueId item) {
  TfList result = list;
  if (list.dtype != DType::kUndefined && n.dtype(item) != list.dtype) {
    n.invalid("an element has dtype ", to_string(n.dtype(item)), ", the list ", to_string(list.dtype));
  }
  if (list.stacked == kNoValue && list.carried >= 0) {
    if (list.written != kNoValue) n.unsupported("a loop writes a list twice in an iteration");
    result.written = item;
    result.index = index;
    return TfValue::of_list(std::move(result));
  }
  ValueId stacked = list.stacked;
  if (stacked == kNoValue) {
    const ValueId length = n.add("Reshape", {n.as_s64(list.length), n.ints({1})});
    const ValueId shape = n.add("Concat", {length, n.add("Shape", {item})}, {{"axis", int64_t{0}}});
    const Tensor zero = n.facts(n.scalar_like(0, item)).constant;
    stacked = n.add("ConstantOfShape", {shape}, {{"value", zero.reshaped({1})}});
  }
  const ValueId place = n.reshape(n.as_s64(index), {1, 1});
  result.stacked = n.add("ScatterND", {stacked, place, n.unsqueeze(item, {0})}, {{"from_end", int64_t{0}}});
  result.length = kNoValue;
  return TfValue::of_list(std::move(result));
}

ValueId length_of(TfNode& n, const TfList& list) {
  if (list.stacked == kNoValue) return n.cast(scalar(n, list.length), DType::kS32);
  const ValueId size = n.add("Shape", {list.stacked}, {{"start", int64_t{0}}, {"end", int64_t{1}}});
  return n.cast(n.reshape(size, {}), DType::kS32);
}

void get_item(TfNode& n) {
  n.ignore({"element_dtype"});
  n.ignore_input(2);
  n.set_output(0, take(n, list_of(n, 0), n.input(1)));
}
void set_item(TfNode& n) {
  n.ignore({"element_dtype"});
  if (n.take_bool("resize_if_index_out_of_bounds", false)) n.unsupported("a list that grows is not supported");
  n.set_output(0, put(n, list_of(n, 0), n.input(1), n.input(2)));
}
void stack(TfNode& n) {
  n.ignore({"element_dtype", "num_elements"});
  n.ignore_input(1);
  n.set_output(0, elements(n, list_of(n, 0)));
}
void length(TfNode& n) { n.set_output(0, length_of(n, list_of(n, 0))); }

// ---- TensorArray: a handle, which says nothing here, and the flow, which is the list

void array(TfNode& n) {
  n.ignore({"element_shape", "dynamic_size", "clear_after_read", "identical_element_shapes", "tensor_array_name"});
  TfList list;
  list.dtype = n.take_dtype("dtype");
  list.length = n.input(0);
  n.set_output(0, TfValue::opaque("the handle of a TensorArray"));
  n.set_output(1, TfValue::of_list(std::move(list)));
}

// 0, 1, 2 ... to the end: the only indices at which all elements are read or written at once. The length is the
// operand's in all other respects, so an end that is computed is taken on trust.
void require_all(TfNode& n, size_t operand) {
  const ValueId indices = n.input(operand);
  if (const std::optional<std::vector<int64_t>> known = n.known_ints(indices)) {
    for (size_t i = 0; i < known->size(); ++i) {
      if ((*known)[i] != static_cast<int64_t>(i)) n.unsupported("indices other than 0, 1, 2 ... found");
    }
    return;
  }
  const NodeId producer = n.graph().value(indices).producer;
  if (producer != kNoNode && n.graph().node(producer).is("Range")) {
    const std::vector<ValueId> range = n.graph().node(producer).inputs;
    if (n.known_ints(range[0]) == std::vector<int64_t>{0} && n.known_ints(range[2]) == std::vector<int64_t>{1}) return;
  }
  n.unsupported("indices that are not known to be 0, 1, 2 ... found");
}

void array_scatter(TfNode& n) {
  n.ignore_input(0);
  require_all(n, 1);
  TfList list = list_of(n, 3);
  list.stacked = n.input(2);
  list.length = kNoValue;
  n.set_output(0, TfValue::of_list(std::move(list)));
}
void array_gather(TfNode& n) {
  n.ignore({"dtype", "element_shape"});
  n.ignore_input(0);
  require_all(n, 1);
  n.set_output(0, elements(n, list_of(n, 2)));
}
void array_read(TfNode& n) {
  n.ignore({"dtype"});
  n.ignore_input(0);
  n.set_output(0, take(n, list_of(n, 2), n.input(1)));
}
void array_write(TfNode& n) {
  n.ignore_input(0);
  n.set_output(0, put(n, list_of(n, 3), n.input(1), n.input(2)));
}
void array_size(TfNode& n) {
  n.ignore_input(0);
  n.set_output(0, length_of(n, list_of(n, 1)));
}

}  // namespace

std::span<const TfOp> tf_list_ops() {
  static constexpr TfOp kOps[] = {
      {"TensorListReserve", reserve, ""},
      {"TensorListFromTensor", from_tensor, "element_dtype=0"},
      {"TensorListGetItem", get_item, ""},
      {"TensorListSetItem", set_item, "element_dtype=2"},
      {"TensorListStack", stack, ""},
      {"TensorListLength", length, ""},
      {"TensorArrayV3", array, "", "handle,flow"},
      {"TensorArrayScatterV3", array_scatter, "T=2"},
      {"TensorArrayGatherV3", array_gather, ""},
      {"TensorArrayReadV3", array_read, ""},
      {"TensorArrayWriteV3", array_write, "T=2"},
      {"TensorArraySizeV3", array_size, ""},
  };
  return kOps;
}

}  // namespace neural_engine
