// A proxy that is being measured.

export type Running = { readonly name: string; readonly pid: number; readonly port: number };
