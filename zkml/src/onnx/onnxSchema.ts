import protobuf from "protobufjs";

const field = (id: number, type: string) => ({ id, type });
const list = (id: number, type: string) => ({ id, type, rule: "repeated" });

/**
 * The messages of the ONNX format that the compiler reads; all other fields are skipped. Names and numbers of
 * fields are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3.
 */
const root = protobuf.Root.fromJSON({
  nested: {
    Model: {
      fields: {
        irVersion: field(1, "int64"),
        graph: field(7, "Graph"),
        opsetImport: list(8, "OperatorSet"),
      },
    },
    OperatorSet: { fields: { domain: field(1, "string"), version: field(2, "int64") } },
    Graph: {
      fields: {
        node: list(1, "Node"),
        name: field(2, "string"),
        initializer: list(5, "Tensor"),
        input: list(11, "ValueInfo"),
        output: list(12, "ValueInfo"),
        sparseInitializer: list(15, "SparseTensor"),
      },
    },
    Node: {
      fields: {
        input: list(1, "string"),
        output: list(2, "string"),
        name: field(3, "string"),
        opType: field(4, "string"),
        attribute: list(5, "Attribute"),
        domain: field(7, "string"),
      },
    },
    Attribute: {
      fields: {
        name: field(1, "string"),
        f: field(2, "float"),
        i: field(3, "int64"),
        s: field(4, "bytes"),
        t: field(5, "Tensor"),
        floats: list(7, "float"),
        ints: list(8, "int64"),
        strings: list(9, "bytes"),
        type: field(20, "int32"),
      },
    },
    Tensor: {
      fields: {
        dims: list(1, "int64"),
        dataType: field(2, "int32"),
        floatData: list(4, "float"),
        int32Data: list(5, "int32"),
        stringData: list(6, "bytes"),
        int64Data: list(7, "int64"),
        name: field(8, "string"),
        rawData: field(9, "bytes"),
        doubleData: list(10, "double"),
        externalData: list(13, "Entry"),
        dataLocation: field(14, "int32"),
      },
    },
    Entry: { fields: { key: field(1, "string"), value: field(2, "string") } },
    SparseTensor: { fields: {} },
    ValueInfo: { fields: { name: field(1, "string"), type: field(2, "Type") } },
    Type: { fields: { tensorType: field(1, "TensorType") } },
    TensorType: { fields: { elemType: field(1, "int32"), shape: field(2, "Shape") } },
    Shape: { fields: { dim: list(1, "Dimension") } },
    Dimension: { fields: { dimValue: field(1, "int64"), dimParam: field(2, "string") } },
  },
});

export const onnxModelType = root.lookupType("Model");

/** Element types (`TensorProto.DataType`). */
export const ONNX_FLOAT = 1;
export const ONNX_UINT8 = 2;
export const ONNX_INT8 = 3;
export const ONNX_INT32 = 6;
export const ONNX_INT64 = 7;
export const ONNX_STRING = 8;
export const ONNX_BOOL = 9;
export const ONNX_FLOAT16 = 10;
export const ONNX_DOUBLE = 11;

/** Kinds of attribute (`AttributeProto.AttributeType`). */
export const ATTRIBUTE_FLOAT = 1;
export const ATTRIBUTE_INT = 2;
export const ATTRIBUTE_STRING = 3;
export const ATTRIBUTE_TENSOR = 4;
export const ATTRIBUTE_FLOATS = 6;
export const ATTRIBUTE_INTS = 7;
export const ATTRIBUTE_STRINGS = 8;
