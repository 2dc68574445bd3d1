"""Operators of the families, as many to a graph as share operands."""
import numpy as np
import tensorflow as tf

from graphs import case, raw, v1


def const(value, dtype=None):
    return tf.constant(value, dtype)


@case
def op_unary(i):
    x, positive = i.normal("x", 2, 5, scale=2), i.uniform("positive", 0.1, 3, 2, 5)
    unit, above_one = i.uniform("unit", -0.9, 0.9, 2, 5), i.uniform("above_one", 1.1, 4, 2, 5)
    for op in ("Abs Neg Exp Expm1 Square Sign Floor Ceil Round Rint Sin Cos Tan Atan Sinh Cosh Tanh Asinh Erf Erfc Sigmoid "
               "Softplus Softsign Softmax LogSoftmax StopGradient Snapshot ZerosLike OnesLike Identity IsNan IsInf "
               "IsFinite").split():
        argument = {"Softplus": "features", "Softsign": "features", "Softmax": "logits", "LogSoftmax": "logits",
                    "StopGradient": "input", "Snapshot": "input", "Identity": "input"}.get(op, "x")
        getattr(raw, op)(**{argument: x, "name": op})
    for op in "Log Log1p Sqrt Rsqrt Reciprocal Inv".split():
        getattr(raw, op)(x=positive, name=op)
    for op in "Asin Acos Atanh".split():
        getattr(raw, op)(x=unit, name=op)
    raw.Acosh(x=above_one, name="Acosh")
    for op in "Relu Relu6 Elu Selu".split():
        getattr(raw, op)(features=x, name=op)
    raw.LeakyRelu(features=x, alpha=0.3, name="LeakyRelu")
    raw.PreventGradient(input=x, name="PreventGradient")
    raw.CheckNumerics(tensor=x, message="bad", name="CheckNumerics")
    raw.EnsureShape(input=x, shape=[None, 5], name="EnsureShape")
    raw.IdentityN(input=[x, positive], name="IdentityN")
    raw.L2Loss(t=x, name="L2Loss")
    tf.identity(raw.PlaceholderWithDefault(input=np.float32([1, 2]), shape=[2]), name="PlaceholderWithDefault_read")
    # Ties go to the even number.
    ties = const([0.5, 1.5, 2.5, -0.5, -1.5], tf.float32)
    raw.Round(x=tf.add(ties, tf.reduce_sum(x) * 0), name="Round_ties")


@case
def op_binary(i):
    x, y = i.normal("x", 3, 4), i.normal("y", 1, 4, open_axes=())
    base, power = i.uniform("base", 0.2, 3, 3, 4), i.normal("power", 3, 4)
    for op in "Add AddV2 Sub Mul RealDiv Maximum Minimum SquaredDifference FloorDiv FloorMod".split():
        getattr(raw, op)(x=x, y=y, name=op)
    raw.Pow(x=base, y=power, name="Pow")
    zero = i.put("zero", np.float32([[0, 1, 0, 2], [3, 0, -1, 0], [0, 0, 5, 1]]))
    raw.DivNoNan(x=x, y=zero, name="DivNoNan")
    raw.MulNoNan(x=x / zero, y=zero, name="MulNoNan")
    raw.AddN(inputs=[x, base, power], name="AddN")
    raw.AccumulateNV2(inputs=[x, base], shape=[None, 4], name="AccumulateNV2")
    raw.BiasAdd(value=x, bias=const([1., 2., 3., 4.]), name="BiasAdd")
    raw.ClipByValue(t=x, clip_value_min=-0.5, clip_value_max=0.6, name="ClipByValue")
    raw.Div(x=x, y=y, name="Div")


@case
def op_binary_int(i):
    x, y = i.ints("x", -20, 20, 4, 5), i.put("y", np.int32([[-3, 2, 7, -1, 5]]), ())
    for op in ("FloorDiv FloorMod TruncateDiv TruncateMod Mod Maximum Minimum Add Sub Mul BitwiseAnd BitwiseOr "
               "BitwiseXor SquaredDifference Div").split():
        getattr(raw, op)(x=x, y=y, name=op)
    raw.Invert(x=x, name="Invert")
    raw.Pow(x=x, y=const([[0, 1, 2, 3, 2]]), name="Pow")
    raw.Cast(x=x, DstT=tf.float32, name="Cast")
    raw.Cast(x=x, DstT=tf.bool, name="Cast_bool")
    raw.Cast(x=tf.cast(x, tf.float32) / 3, DstT=tf.int64, name="Cast_truncates")
    raw.Sign(x=x, name="Sign")
    raw.Abs(x=x, name="Abs")


@case
def op_logic(i):
    x, y = i.ints("x", 0, 3, 4, 5), i.ints("y", 0, 3, 4, 5)
    p, q = i.put("p", i.random.random((4, 5)) < 0.5), i.put("q", i.random.random((4, 5)) < 0.5)
    for op in "Equal NotEqual Greater GreaterEqual Less LessEqual".split():
        getattr(raw, op)(x=x, y=y, name=op)
    raw.LogicalAnd(x=p, y=q, name="LogicalAnd")
    raw.LogicalOr(x=p, y=q, name="LogicalOr")
    raw.LogicalNot(x=p, name="LogicalNot")
    raw.Select(condition=p, x=x, y=y, name="Select")
    raw.Select(condition=const([True, False, True, False]), x=x, y=y, name="Select_rows")
    raw.SelectV2(condition=p, t=x, e=const([[7]]), name="SelectV2")
    raw.All(input=p, axis=[1], name="All")
    raw.Any(input=p, axis=[0], keep_dims=True, name="Any")
    raw.Where(condition=p, name="Where")


@case
def op_reduce(i):
    x = i.normal("x", 3, 4, 5)
    for op in "Sum Mean Max Min Prod EuclideanNorm".split():
        getattr(raw, op)(input=x, axis=[1], name=op)
        getattr(raw, op)(input=x, axis=[-1, 0], keep_dims=True, name=op + "_keep")
    raw.Sum(input=x, axis=const([], tf.int32), name="Sum_none")
    raw.ArgMax(input=x, dimension=-1, name="ArgMax")
    raw.ArgMin(input=x, dimension=1, output_type=tf.int32, name="ArgMin")
    raw.TopKV2(input=x, k=2, name="TopKV2")
    raw.Cumsum(x=x, axis=1, name="Cumsum")
    raw.Cumsum(x=x, axis=2, exclusive=True, reverse=True, name="Cumsum_reverse")


@case
def op_shapes(i):
    x, flat = i.normal("x", 2, 3, 4), i.ints("flat", 0, 9, 6)
    raw.Shape(input=x, name="Shape")
    raw.ShapeN(input=[x, x], out_type=tf.int64, name="ShapeN")
    raw.Size(input=x, name="Size")
    raw.Rank(input=x, name="Rank")
    raw.Reshape(tensor=x, shape=[-1, 6], name="Reshape")
    raw.ExpandDims(input=x, axis=-2, name="ExpandDims")
    raw.Squeeze(input=tf.expand_dims(x, 1), axis=[1], name="Squeeze")
    raw.Transpose(x=x, perm=[2, 0, 1], name="Transpose")
    raw.Fill(dims=tf.shape(x)[:2], value=3.5, name="Fill")
    raw.Range(start=0, limit=tf.shape(x)[1] * 2, delta=2, name="Range")
    raw.Tile(input=x, multiples=[1, 2, 3], name="Tile")
    raw.BroadcastTo(input=x, shape=tf.concat([[5], tf.shape(x)], 0), name="BroadcastTo")
    raw.BroadcastArgs(s0=tf.shape(x)[1:], s1=[7, 1, 1], name="BroadcastArgs")
    raw.Pad(input=x, paddings=[[1, 0], [0, 2], [1, 1]], name="Pad")
    raw.PadV2(input=x, paddings=[[0, 0], [1, 1], [0, 0]], constant_values=9.0, name="PadV2")
    raw.MirrorPad(input=x, paddings=[[0, 0], [2, 1], [1, 0]], mode="REFLECT", name="MirrorPad")
    raw.MatrixBandPart(input=x, num_lower=1, num_upper=0, name="MatrixBandPart")
    raw.InvertPermutation(x=const([2, 0, 1]), name="InvertPermutation")
    raw.Unique(x=flat, name="Unique")
    image = i.normal("image", 2, 4, 4, 8)
    raw.DepthToSpace(input=image, block_size=2, name="DepthToSpace")
    raw.SpaceToDepth(input=image, block_size=2, name="SpaceToDepth")


@case
def op_parts(i):
    x = i.normal("x", 4, 5, 6)
    raw.Slice(input=x, begin=[1, 0, 2], size=[2, -1, 3], name="Slice")
    raw.StridedSlice(input=x, begin=[0, -1, 5], end=[0, 0, 0], strides=[1, 1, -2], begin_mask=1, end_mask=5,
                     shrink_axis_mask=2, name="StridedSlice")
    raw.StridedSlice(input=x, begin=[0, 0, 1], end=[0, 0, 3], strides=[1, 1, 1], ellipsis_mask=1, new_axis_mask=2,
                     name="StridedSlice_ellipsis")
    raw.Pack(values=[x, x * 2], axis=1, name="Pack")
    raw.Unpack(value=x, num=5, axis=1, name="Unpack")
    raw.Split(axis=2, value=x, num_split=3, name="Split")
    raw.SplitV(value=x, size_splits=[1, -1, 2], axis=1, num_split=3, name="SplitV")
    raw.ConcatV2(values=[x, x], axis=-1, name="ConcatV2")
    raw.Concat(concat_dim=1, values=[x, x], name="Concat")
    raw.ReverseV2(tensor=x, axis=[0, 2], name="ReverseV2")
    lengths = i.put("lengths", np.int32([2, 5, 1, 3]))
    raw.ReverseSequence(input=x, seq_lengths=lengths, seq_dim=1, batch_dim=0, name="ReverseSequence")


@case
def op_gather(i):
    table, ids = i.normal("table", 7, 3, open_axes=()), i.ints("ids", 0, 7, 2, 4)
    raw.Gather(params=table, indices=ids, name="Gather")
    raw.GatherV2(params=table, indices=ids, axis=0, name="GatherV2")
    raw.GatherV2(params=table, indices=[2, 0], axis=1, name="GatherV2_columns")
    rows = i.normal("rows", 2, 5, 3)
    raw.GatherV2(params=rows, indices=tf.minimum(ids, 4), axis=1, batch_dims=1, name="GatherV2_batch")
    raw.GatherNd(params=rows, indices=i.put("tuples", np.int32([[0, 4], [1, 2], [1, 0]])), name="GatherNd")
    raw.OneHot(indices=tf.subtract(ids, 1), depth=5, on_value=2.0, off_value=-1.0, name="OneHot")
    raw.OneHot(indices=ids, depth=7, on_value=1, off_value=0, axis=0, name="OneHot_first")
    at, updates = i.put("at", np.int32([[4], [0], [4]])), i.normal("updates", 3, 3)
    for op in "TensorScatterUpdate TensorScatterAdd TensorScatterMax TensorScatterMin".split():
        places = const([[4], [0], [2]]) if op == "TensorScatterUpdate" else at
        getattr(raw, op)(tensor=table, indices=places, updates=updates, name=op)
    raw.ScatterNd(indices=at, updates=updates, shape=[6, 3], name="ScatterNd")


@case
def op_segments(i):
    table, ids = i.normal("table", 9, 4, open_axes=()), i.put("ids", np.int32([3, 8, 0, 1, 1, 5, 2]))
    segments = i.put("segments", np.int32([0, 0, 1, 3, 3, 3, 4]))
    rows = i.normal("rows", 7, 4)
    raw.SegmentSum(data=rows, segment_ids=segments, name="SegmentSum")
    raw.SegmentMean(data=rows, segment_ids=segments, name="SegmentMean")
    for op in "SparseSegmentSum SparseSegmentMean SparseSegmentSqrtN".split():
        getattr(raw, op)(data=table, indices=ids, segment_ids=segments, name=op)
        getattr(raw, op + "WithNumSegments")(data=table, indices=ids, segment_ids=segments, num_segments=6,
                                             name=op + "WithNumSegments")
    raw.UnsortedSegmentSum(data=rows, segment_ids=i.put("any_order", np.int32([2, 0, -1, 2, 3, 0, 3])), num_segments=5,
                           name="UnsortedSegmentSum")


@case
def op_products(i):
    a, b = i.normal("a", 3, 4), i.normal("b", 4, 5, open_axes=())
    raw.MatMul(a=a, b=b, name="MatMul")
    raw.MatMul(a=b, b=a, transpose_a=True, transpose_b=True, name="MatMul_transposed")
    p, q = i.normal("p", 2, 3, 4, 5), i.normal("q", 2, 3, 6, 5)
    raw.BatchMatMul(x=p, y=q, adj_y=True, name="BatchMatMul")
    raw.BatchMatMulV2(x=p, y=tf.transpose(q[0], [0, 2, 1]), name="BatchMatMulV2")
    raw.BatchMatMulV3(x=p, y=q, Tout=tf.float32, adj_y=True, name="BatchMatMulV3")
    raw.Einsum(inputs=[p, q], equation="bhqd,bhkd->bhqk", name="Einsum")
    raw.Einsum(inputs=[a, i.normal("heads", 4, 2, 3, open_axes=())], equation="td,dhe->the", name="Einsum_heads")


@case
def op_convolutions(i):
    x, w = i.normal("x", 2, 7, 6, 3), i.normal("w", 3, 3, 3, 4, open_axes=(), scale=0.3)
    raw.Conv2D(input=x, filter=w, strides=[1, 2, 1, 1], padding="SAME", name="Conv2D")
    raw.Conv2D(input=x, filter=w, strides=[1, 1, 1, 1], padding="VALID", dilations=[1, 2, 2, 1], name="Conv2D_dilated")
    depth = i.normal("depth", 3, 3, 3, 2, open_axes=(), scale=0.3)
    raw.DepthwiseConv2dNative(input=x, filter=depth, strides=[1, 1, 1, 1], padding="SAME", name="DepthwiseConv2dNative")
    for op, operand in (("MaxPool", "input"), ("AvgPool", "value")):
        getattr(raw, op)(**{operand: x}, ksize=[1, 3, 2, 1], strides=[1, 2, 2, 1], padding="SAME", name=op)
        getattr(raw, op)(**{operand: x}, ksize=[1, 3, 2, 1], strides=[1, 1, 2, 1], padding="VALID", name=op + "_valid")
    volume = i.normal("volume", 1, 5, 4, 4, 2)
    raw.Conv3D(input=volume, filter=i.normal("w3", 2, 3, 3, 2, 3, open_axes=(), scale=0.3), strides=[1, 1, 2, 1, 1],
               padding="SAME", name="Conv3D")
    for op in ("MaxPool3D", "AvgPool3D"):
        getattr(raw, op)(input=volume, ksize=[1, 2, 2, 2, 1], strides=[1, 2, 2, 2, 1], padding="SAME", name=op)


@case
def op_norms(i):
    x = i.normal("x", 2, 3, 4, 5)
    scale, offset = const(np.float32([1, 2, 0.5, -1, 1])), const(np.float32([0, 1, 2, 3, 4]))
    mean, variance = const(np.float32([0, 0.1, -0.3, 1, 2])), const(np.float32([1, 2, 0.5, 0.3, 4]))
    for op in ("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"):
        # The further outputs are for training.
        y = getattr(raw, op)(x=x, scale=scale, offset=offset, mean=mean, variance=variance, is_training=False,
                             epsilon=0.01)
        tf.identity(y[0], name=op)


@case
def op_quantize(i):
    # Powers of two, so that many elements lie between two integers, equally near to both.
    x = i.put("x", (np.arange(-40, 40).reshape(8, 10) / 8).astype(np.float32))
    for mode, dtype, ties in (("SCALED", tf.qint8, "HALF_TO_EVEN"), ("SCALED", tf.qint8, "HALF_AWAY_FROM_ZERO"),
                              ("MIN_FIRST", tf.quint8, "HALF_AWAY_FROM_ZERO")):
        low, high = (-31.75, 31.75) if dtype == tf.qint8 else (-16.0, 47.75)
        q = raw.QuantizeV2(input=x, min_range=low, max_range=high, T=dtype, mode=mode, round_mode=ties)
        name = f"{mode}_{ties}"
        raw.Dequantize(input=q[0], min_range=q[1], max_range=q[2], mode=mode, name="Dequantize_" + name)
        if dtype == tf.quint8:
            flat = raw.QuantizedReshape(tensor=q[0], shape=[-1], input_min=q[1], input_max=q[2])
            raw.Dequantize(input=flat[0], min_range=flat[1], max_range=flat[2], mode=mode, name="QuantizedReshape_read")
    raw.FakeQuantWithMinMaxArgs(inputs=x, min=-3.3, max=4.1, name="FakeQuantWithMinMaxArgs")
    raw.FakeQuantWithMinMaxArgs(inputs=x, min=0.5, max=4.1, narrow_range=True, name="FakeQuantWithMinMaxArgs_narrow")
    raw.FakeQuantWithMinMaxVars(inputs=x, min=-1.7, max=2.9, name="FakeQuantWithMinMaxVars")
    raw.FakeQuantWithMinMaxVarsPerChannel(inputs=x, min=np.linspace(-4, -0.5, 10).astype(np.float32),
                                          max=np.linspace(0.7, 3, 10).astype(np.float32),
                                          name="FakeQuantWithMinMaxVarsPerChannel")
    for ties in ("HALF_TO_EVEN", "HALF_UP"):
        raw.QuantizeAndDequantizeV2(input=x, input_min=-31.75, input_max=31.75, range_given=True, round_mode=ties,
                                    name="QuantizeAndDequantizeV2_" + ties)
    raw.QuantizeAndDequantizeV3(input=x, input_min=-3.0, input_max=2.0, num_bits=8, range_given=True,
                                name="QuantizeAndDequantizeV3")
    raw.QuantizeAndDequantizeV4(input=x, input_min=0.0, input_max=2.3, signed_input=False, range_given=True,
                                name="QuantizeAndDequantizeV4")


@case
def op_quantized_product(i):
    x, w = i.uniform("x", 0, 4, 3, 16), i.random.uniform(-1, 1, (16, 5)).astype(np.float32)
    a = raw.QuantizeV2(input=x, min_range=0.0, max_range=4.0, T=tf.quint8, mode="MIN_FIRST")
    b = raw.QuantizeV2(input=w, min_range=-1.0, max_range=1.0, T=tf.quint8, mode="MIN_FIRST")
    y = raw.QuantizedMatMul(a=a[0], b=b[0], min_a=a[1], max_a=a[2], min_b=b[1], max_b=b[2],
                            Toutput=tf.qint32)
    raw.Dequantize(input=y[0], min_range=y[1], max_range=y[2], mode="MIN_FIRST", name="Dequantize_product")
    q = raw.Requantize(input=y[0], input_min=y[1], input_max=y[2], requested_output_min=-6.0, requested_output_max=9.0,
                       out_type=tf.quint8)
    raw.Dequantize(input=q[0], min_range=q[1], max_range=q[2], mode="MIN_FIRST", name="Requantize_read")


@case
def control_switch(i):
    """cond of TensorFlow 1 with a constant condition, and while_loop."""
    x = i.normal("x", 2, 3)
    switched = raw.Switch(data=x, pred=const(True))
    merged = raw.Merge(inputs=[tf.negative(switched.output_false), tf.abs(switched.output_true)])
    tf.identity(merged.output, name="taken")


@case
def control_while_v1(i):
    x = i.normal("x", 2, 3)
    v1.disable_control_flow_v2()
    try:
        count, total = v1.while_loop(lambda k, _: k < 5, lambda k, y: (k + 1, y * 0.5 + x), [0, x])
    finally:
        v1.enable_control_flow_v2()
    tf.identity(count, name="count")
    tf.identity(total, name="total")
