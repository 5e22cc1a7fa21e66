/** Functions of the global that `lib.dom` would declare; @types/node declares only the types. */
declare namespace WebAssembly {
  function compile(bytes: Uint8Array): Promise<Module>;
  function instantiate(module: Module, imports: object): Promise<Instance>;
}
